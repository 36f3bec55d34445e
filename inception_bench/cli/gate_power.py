"""``inception-bench gate-power``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.cache import kept_small
from inception_bench.cli.lists import Lists
from inception_bench.cli.told import Told
from inception_bench.cli.words import Json


def gate_power(
    minutes: Annotated[float, typer.Option(help="Stop beginning trials after so long; call again to go on.")] = 10.0,
    models: Annotated[str, typer.Option(help="Networks.")] = "googlenet,inception_v3",
    backends: Annotated[str, typer.Option(help="Runtimes.")] = "onnxruntime,eager",
    width_mults: Annotated[str | None, typer.Option(help="Filter multipliers.")] = None,
    input_sizes: Annotated[str | None, typer.Option(help="Pixels a side.")] = None,
    threads: Annotated[str, typer.Option(help="Threads inside one operation.")] = "1",
    budget: Annotated[float, typer.Option(help="Seconds a trial may take, building aside.")] = 60.0,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the trials lie.")] = Path(
        "results/local/gate-power"
    ),
    json: Json = False,
) -> None:
    """Prove the gate: equal programs and true slow-downs, quiet and loaded. Exit 1 where a rate is missed."""
    from inception_bench.gate.power.power import PowerOrder, run_power

    cases = Lists(models, backends, None, None, None, input_sizes, width_mults, threads).cases()
    with kept_small():
        records = run_power(PowerOrder(cases, output, minutes, budget), lambda line: typer.echo(line, err=True))
    Told.of_power(records).tell(json, output / "power.md")
