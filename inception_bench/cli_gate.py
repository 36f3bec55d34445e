"""The commands of the gate: ``compare``, ``baseline``, ``duet`` and ``gate-power``. Thin shells, as in ``cli``."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inception_bench.errors import UsageError

if TYPE_CHECKING:
    from inception_bench.gate.duet_result import DuetResult
    from inception_bench.records.record import Record
    from inception_bench.report.github import Note
    from inception_bench.spec.case import Case

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A results folder with a records.jsonl.")]

baseline = typer.Typer(no_args_is_help=True, help="Keep a run as what later runs are compared with.")


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A stored run: the baseline.")],
    after: Annotated[
        Path | None,
        typer.Argument(metavar="B", help="A stored run: what is judged. Without it A is judged alone."),
    ] = None,
    json: Json = False,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as Markdown too.")] = None,
) -> None:
    """Compare two stored runs: exact facts, and times as far as they can be. Exit 1 on a regression, 2 on a gap.

    With one folder: judge the duet or the trials of power in it again, from their raw rounds.
    """
    from inception_bench.gate.compare import compare as compare_runs
    from inception_bench.gate.duet_result import load_duet
    from inception_bench.gate.power import read_trials
    from inception_bench.gate.stored_run import load_run
    from inception_bench.report import comparison as report

    if after is None:
        trials = read_trials(before)
        told = Told.of_power(trials) if trials else Told.of_duet(load_duet(before))
    else:
        found = compare_runs(load_run(before), load_run(after))
        told = Told(
            report.comparison_text(found), report.comparison_page(found), report.comparison_json(found),
            report.comparison_notes(found), found.exit_code,
        )  # fmt: skip
    told.tell(json, markdown)


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
    from inception_bench.gate.duet_run import DuetOrder, Installed, run_duet

    if a == b and a_rev == b_rev:
        raise UsageError("duet compares two installations and was given one; give --a, --b, --a-rev or --b-rev")
    lists = Lists(models, backends, device, precisions, batch_sizes, input_sizes, width_mults, threads)
    order = DuetOrder(lists.cases(), Installed(a, a_rev), Installed(b, b_rev), output, budget, min_effect)
    found = run_duet(order, lambda line: typer.echo(line, err=True))
    Told.of_duet(found).tell(json, output / "duet.md")


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
    from inception_bench.gate.power import PowerOrder, run_power

    cases = Lists(models, backends, None, None, None, input_sizes, width_mults, threads).cases()
    records = run_power(PowerOrder(cases, output, minutes, budget), lambda line: typer.echo(line, err=True))
    Told.of_power(records).tell(json, output / "power.md")


@dataclass(frozen=True)
class Lists:
    """The options that choose cells, as they were written."""

    models: str | None
    backends: str | None
    device: str | None
    precisions: str | None
    batch_sizes: str | None
    input_sizes: str | None
    width_mults: str | None
    threads: str | None

    def cases(self) -> tuple[Case, ...]:
        """The cells. Raises UsageError in the words of this command's options."""
        from inception_bench.measure.selection import Request, select

        given = {**vars(self), "backends": self.backends or "onnxruntime"}
        try:
            return select(Request(profile="smoke", **given)).cases
        except UsageError as error:
            raise UsageError(str(error).replace("--inception-", "--")) from None


@dataclass(frozen=True)
class Told:
    """An answer in every form in which it is given."""

    text: str
    page: str
    data: dict[str, Any]
    notes: Sequence[Note]
    exit_code: int

    @classmethod
    def of_duet(cls, found: DuetResult) -> Told:
        """What a duet came to, measured now or judged again."""
        from inception_bench.report.duet import duet_json, duet_notes, duet_page, duet_text

        return cls(duet_text(found), duet_page(found), duet_json(found), duet_notes(found), found.exit_code)

    @classmethod
    def of_power(cls, records: Sequence[Record]) -> Told:
        """What trials of the gate's power came to, run now or judged again."""
        from inception_bench.gate.power import exit_code, power_rows
        from inception_bench.report.power import power_json, power_notes, power_page

        rows = power_rows(records)
        page = power_page(rows, records)
        return cls(page, page, power_json(rows), power_notes(rows), exit_code(rows))

    def tell(self, json: bool, markdown: Path | None) -> None:
        """Print it, write the page, tell GitHub where this is a job of it, and leave with the exit code."""
        from inception_bench.report.github import annotation_lines, append_summary

        if markdown is not None:
            markdown.write_text(self.page)
        append_summary(self.page, os.environ)
        for line in annotation_lines(self.notes, os.environ):
            typer.echo(line, err=json)
        typer.echo(json_module.dumps(self.data, indent=1) if json else self.text)
        raise typer.Exit(self.exit_code)


@baseline.command()
def accept(
    folder: Folder,
    why: Annotated[str, typer.Option(help="Why this run is the new baseline, in a sentence.")],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Copy it there; default: mark it where it is.")] = None,
    who: Annotated[str | None, typer.Option(help="Default: the name that git knows.")] = None,
) -> None:
    """Make a stored run the baseline: who, when and why is written beside its records."""
    from inception_bench.gate.stored_run import accept as accept_run

    accepted = accept_run(folder, why, to, who)
    typer.echo(f"baseline: {to or folder}, run {accepted.run_id}, accepted by {accepted.who}: {accepted.why}")


def add_commands(app: typer.Typer) -> None:
    """Put the gate's commands into the command line."""
    app.command()(compare)
    app.command()(duet)
    app.command("gate-power")(gate_power)
    app.add_typer(baseline, name="baseline")
