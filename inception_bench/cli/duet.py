"""``inception-bench duet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.cache import kept_small
from inception_bench.cli.lists import Lists
from inception_bench.cli.told import Told
from inception_bench.cli.words import Json
from inception_bench.errors import UsageError


def duet(
    a: Annotated[str | None, typer.Option(metavar="PYTHON_OR_ENV", help="Default: the running interpreter.")] = None,
    b: Annotated[str | None, typer.Option(metavar="PYTHON_OR_ENV", help="What is judged.")] = None,
    a_rev: Annotated[str | None, typer.Option(metavar="REV", help="A git revision for side a.")] = None,
    b_rev: Annotated[str | None, typer.Option(metavar="REV", help="A git revision for side b.")] = None,
    models: Annotated[str | None, typer.Option(help="Networks; default googlenet,inception_v3.")] = None,
    backends: Annotated[str | None, typer.Option(help="Runtimes; default onnxruntime.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda.")] = None,
    precisions: Annotated[str | None, typer.Option(help="fp32, tf32, bf16, fp16.")] = None,
    batch_sizes: Annotated[str | None, typer.Option(help="Images a call.")] = None,
    width_mults: Annotated[str | None, typer.Option(help="Filter multipliers.")] = None,
    input_sizes: Annotated[str | None, typer.Option(help="Pixels a side.")] = None,
    threads: Annotated[str, typer.Option(help="Threads inside one operation.")] = "1",
    budget: Annotated[float, typer.Option(help="Seconds a cell may take, building aside.")] = 60.0,
    min_effect: Annotated[float, typer.Option(help="The smallest share of the time that matters.")] = 0.01,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where records go.")] = Path(
        "results/local/duet"
    ),
    json: Json = False,
) -> None:
    """Time the same cells under two installations, side by side: same, faster, slower or unclear. Exit 1 on slower."""
    from inception_bench.gate.duet.order import DuetOrder, Installed, run_duet

    if a == b and a_rev == b_rev:
        raise UsageError("duet compares two installations and was given one; give --a, --b, --a-rev or --b-rev")
    lists = Lists(models, backends, device, precisions, batch_sizes, input_sizes, width_mults, threads)
    order = DuetOrder(lists.cases(), Installed(a, a_rev), Installed(b, b_rev), output, budget, min_effect)
    with kept_small():
        result = run_duet(order, lambda line: typer.echo(line, err=True))
    Told.of_duet(result).tell(json, output / "duet.md")
