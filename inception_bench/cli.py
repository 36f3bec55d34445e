"""The command ``inception-bench``. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inception_bench import __version__
from inception_bench.errors import UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast."""
    if show:
        typer.echo(f"inception-bench {__version__}")
        raise typer.Exit


@app.command()
def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON document.")] = False,
) -> None:
    """Make the leaderboard of a run again, from its records: also of a run that was interrupted."""
    from inception_bench.records.journal import FILE, Journal
    from inception_bench.report.console import board_text
    from inception_bench.report.files import prepare_folder, write_results

    records, complaints = Journal(folder / FILE).read()
    for complaint in complaints:
        typer.echo(complaint, err=True)
    prepare_folder(folder)
    made = write_results(folder, records)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in made.rows], indent=1))
    else:
        typer.echo(board_text(made, colour=sys.stdout.isatty()))
        typer.echo(f"\nwritten: {folder / 'leaderboard.csv'}, {folder / 'leaderboard.md'}")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checkups as one JSON document.")] = False,
    python: Annotated[
        list[str] | None, typer.Option("--python", metavar="BACKEND=PYTHON", help="Another interpreter.")
    ] = None,
) -> None:
    """Say of every runtime whether it is ready here, with which precisions, or why not and what to do."""
    from inception_bench.measure.doctor import examine
    from inception_bench.measure.selection import read_pythons
    from inception_bench.report.doctor import doctor_text

    found = []
    for checkup in examine(pythons=read_pythons(",".join(python) if python else None)):
        typer.echo(f"{checkup.backend}: {'ready' if checkup.ready else 'not ready'}", err=True)
        found.append(checkup)
    if as_json:
        typer.echo(json.dumps([asdict(checkup) for checkup in found], indent=1))
    else:
        typer.echo(doctor_text(found, colour=sys.stdout.isatty()))


@app.command()
def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A network: name or name@definition.")],
    to: Annotated[str, typer.Option(help="onnx, torchscript, aot_inductor, openvino, tensorrt or tensorrt_rtx.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the file goes.")],
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: the format's usual one.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, tf32, bf16 or fp16.")] = "fp32",
    batch_size: Annotated[int, typer.Option(help="Images a call.")] = 1,
    input_size: Annotated[int | None, typer.Option(help="Pixels a side; default: native.")] = None,
    width_mult: Annotated[float, typer.Option(help="Filter multiplier.")] = 1.0,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="The runtime's own: target=sm89, batch=dynamic.")
    ] = None,
) -> None:
    """Write a network, with signal-keeping weights, as a file of a runtime."""
    from inception_bench.measure.export import Order
    from inception_bench.measure.export import export as write

    order = Order(model, to, device, precision, batch_size, input_size, width_mult, tuple(option or ()))
    artifact = write(order, output)
    typer.echo(f"written: {output} ({output.stat().st_size:,} bytes, built in {artifact.build_s:.1f} s)")


def main() -> None:
    """Run the command line; a usage error is one line and exit code 2."""
    try:
        app()
    except UsageError as error:
        typer.echo(f"inception-bench: {error}", err=True)
        raise SystemExit(2) from None
