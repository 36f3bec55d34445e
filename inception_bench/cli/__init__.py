"""The command ``inception-bench``, a file a verb. Exit codes: 0 fine, 1 the answer is no, 2 wrong usage.

Each verb is a thin shell: values come from the package, rendering from ``report``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from inception_bench import __version__
from inception_bench.cli.baseline import accept
from inception_bench.cli.board import board
from inception_bench.cli.cache import cache, prune
from inception_bench.cli.claims import claims
from inception_bench.cli.compare import compare
from inception_bench.cli.coverage import coverage
from inception_bench.cli.describe import describe
from inception_bench.cli.doctor import doctor
from inception_bench.cli.duet import duet
from inception_bench.cli.export import export
from inception_bench.cli.gate_power import gate_power
from inception_bench.cli.models import models
from inception_bench.cli.run import run
from inception_bench.cli.train import train
from inception_bench.cli.words import named
from inception_bench.errors import UsageError, told

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
baseline = typer.Typer(no_args_is_help=True, help="Keep a run as what later runs are compared with.")
baseline.command()(accept)
kept = typer.Typer(invoke_without_command=True)
kept.callback()(cache)
kept.command()(prune)

app.command()(compare)
app.command()(duet)
app.command("gate-power")(gate_power)
app.command()(coverage)
app.add_typer(baseline, name="baseline")
app.add_typer(kept, name="cache")
app.command()(models)
# ``run`` hands all its options to pytest, --help too.
app.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)(run)
app.command()(describe)
app.command()(board)
app.command()(claims)
app.command()(doctor)
app.command()(export)
app.command()(train)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast."""
    if show:
        typer.echo(f"inception-bench {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a usage error is one line on stderr and exit code 2."""
    try:
        app()
    except UsageError as error:
        typer.echo(f"inception-bench: {told(error, named)}", err=True)
        raise SystemExit(2) from None
