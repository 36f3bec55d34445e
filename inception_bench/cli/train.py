"""``inception-bench train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.cache import kept_small
from inception_bench.cli.words import Json


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
    threads: Annotated[int | None, typer.Option(help="Inside one operation; default: the recipe's.")] = None,
    json: Json = False,
) -> None:
    """Train a network and test it; the same command goes on after a kill. Works under torchrun."""
    from inception_bench.records.journal import TRAIN
    from inception_bench.records.record import Run
    from inception_bench.report.files import write_trained
    from inception_bench.train import command
    from inception_bench.train.job import Machine

    machine = Machine(device, precision, threads)
    typed = command.Typed(without, seed, epochs, max_steps, batch_size, rate, width_mult, input_size, machine)
    job, begun = command.make_job(model, data, recipe, typed), Run.begin(TRAIN)
    with kept_small():
        trained = command.run_shown(job, output)
    if trained is not None:
        write_trained(output, begun, job, trained)
        typer.echo(command.to_json(trained) if json else command.sentence(trained))
