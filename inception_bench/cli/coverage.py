"""``inception-bench coverage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.cache import kept_small
from inception_bench.cli.lists import Lists
from inception_bench.cli.told import Told
from inception_bench.cli.words import Json


def coverage(
    minutes: Annotated[float, typer.Option(help="Stop beginning trials after so long; call again to go on.")] = 10.0,
    models: Annotated[str, typer.Option(help="Networks.")] = "googlenet,bn_inception,googlenet_naive,inception_v3",
    backends: Annotated[str, typer.Option(help="Runtimes.")] = "eager,onnxruntime,openvino",
    width_mults: Annotated[str, typer.Option(help="Filter multipliers.")] = "0.25,1",
    input_sizes: Annotated[str | None, typer.Option(help="Pixels a side.")] = None,
    threads: Annotated[str, typer.Option(help="Threads inside one operation: a list.")] = "1,2",
    profile: Annotated[str, typer.Option(help="Time cells as this profile does.")] = "quick",
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the trials lie.")] = Path(
        "results/local/coverage"
    ),
    json: Json = False,
) -> None:
    """Prove the intervals: cells whose true speed-up is known. Exit 1 where a rate is certainly not 95 %."""
    from inception_bench.gate.coverage.coverage import CoverageOrder, run_coverage
    from inception_bench.measure.selection import find_profile

    known = find_profile(profile)
    cases = [
        Lists(models, backends, None, None, None, input_sizes, width_mults, count).cases()
        for count in threads.split(",")
    ]
    every = [case for each in cases for case in each]
    names = tuple(dict.fromkeys(case.runtime.backend for case in every))
    counts = tuple(dict.fromkeys(case.runtime.threads for case in every))
    networks = tuple({case.network: case for case in every}.values())
    order = CoverageOrder(networks, names, counts, known, output, minutes)
    with kept_small():
        records = run_coverage(order, lambda line: typer.echo(line, err=True))
    Told.of_coverage(records).tell(json, output / "coverage.md")
