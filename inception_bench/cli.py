"""The command ``inception-bench``. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage.

Each command is a thin shell: values come from the package, rendering from ``report``.
"""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_bench import __version__, cli_gate
from inception_bench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

cli_gate.add_commands(app)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Comparison(str, Enum):
    """What a description can be held against."""

    paper = "paper"


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast."""
    if show:
        typer.echo(f"inception-bench {__version__}")
        raise typer.Exit


@app.command()
def models(
    definitions: Annotated[bool, typer.Option("--definitions", help="List every definition too.")] = False,
    json: Json = False,
) -> None:
    """List the networks: paper, year, input size, params, MACs, published accuracy."""
    from inception_bench.models.describe import summaries
    from inception_bench.report import models as report

    found = summaries(definitions)
    if json:
        typer.echo(report.to_json(found))
    else:
        report.show_summaries(found, _console())


@app.command()
def describe(
    model: Annotated[str, typer.Argument(help="A network, or network@definition.")],
    compare: Annotated[
        Comparison | None, typer.Option(help="Put the paper's printed figures beside and mark what disagrees.")
    ] = None,
    input_size: Annotated[int | None, typer.Option(help="Side of the input in pixels (default: native).")] = None,
    width_mult: Annotated[float, typer.Option(help="Multiplier of every filter count.")] = 1.0,
    json: Json = False,
) -> None:
    """Print a network as its paper's table: a row an end point."""
    from inception_bench.models.describe import describe as describe_model
    from inception_bench.report import models as report

    found = describe_model(model, input_size=input_size, width_mult=width_mult)
    if json:
        typer.echo(report.to_json(found))
    else:
        report.show_description(found, _console(), compared=compare is not None)


@app.command()
def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")],
    json: Json = False,
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
    if json:
        typer.echo(json_module.dumps([asdict(row) for row in made.rows], indent=1))
    else:
        typer.echo(board_text(made, colour=sys.stdout.isatty()))
        typer.echo(f"\nwritten: {folder / 'leaderboard.csv'}, {folder / 'leaderboard.md'}")


@app.command()
def claims(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A results folder: with its verdicts.")] = None,
    why: Annotated[str | None, typer.Option(metavar="ID", help="Explain one claim, such as G-01.")] = None,
    json: Json = False,
) -> None:
    """List what the papers claim, how it is measured here, and what came out; exit code 1 where that is news."""
    from inception_bench.claims_command import claims_text

    text, fine = claims_text(folder, why, json=json, colour=sys.stdout.isatty())
    typer.echo(text)
    if not fine:
        raise typer.Exit(1)


@app.command()
def doctor(
    json: Json = False,
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
    if json:
        typer.echo(json_module.dumps([asdict(checkup) for checkup in found], indent=1))
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


@app.command()
def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A network: name or name@definition.")],
    data: Annotated[str, typer.Option(help="digits, fashion-mnist[:PATH], imagefolder:PATH or hf:NAME.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where networks and training.csv go.")],
    recipe: Annotated[str, typer.Option(help="paper, quick, standard or sgd.")] = "quick",
    without: Annotated[str | None, typer.Option(metavar="PARTS", help="Switched off: aux,bn,dropout,...")] = None,
    seed: Annotated[int, typer.Option(help="Of first weights, order and dropout.")] = 0,
    epochs: Annotated[float | None, typer.Option(help="Length; default: the recipe's.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Length in steps, instead of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step, over all processes.")] = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate; default: the recipe's.")] = None,
    width_mult: Annotated[float | None, typer.Option(help="Filter multiplier; default: the recipe's.")] = None,
    input_size: Annotated[int | None, typer.Option(help="Pixels a side; default: the recipe's, else native.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="32-true, tf32 (GPUs) or bf16-mixed.")] = "32-true",
    threads: Annotated[int | None, typer.Option(help="Threads inside one operation.")] = None,
    json: Json = False,
) -> None:
    """Train a network and test it; the same command goes on after a kill. Works under torchrun."""
    from inception_bench.records.record import Run
    from inception_bench.report.files import write_training
    from inception_bench.train import command
    from inception_bench.train.job import Machine

    machine = Machine(device, precision, threads)
    typed = command.Typed(without, seed, epochs, max_steps, batch_size, rate, width_mult, input_size, machine)
    job, begun = command.make_job(model, data, recipe, typed), Run.begin("train")
    trained = command.run_shown(job, output)
    if trained is not None:
        write_training(output, begun)
        typer.echo(command.to_json(trained) if json else command.sentence(trained))


def main() -> None:
    """Run the command line; a usage error is one line on stderr and exit code 2."""
    try:
        app()
    except UsageError as error:
        typer.echo(f"inception-bench: {error}", err=True)
        raise SystemExit(2) from None


def _console() -> Console:
    """A console that is wide enough for the tables where the output is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)
