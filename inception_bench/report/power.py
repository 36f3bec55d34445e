"""The proof of the gate's power as a Markdown page and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inception_bench.gate.power.power import RIVAL_RULE, PowerRow, Rate, exit_code, missed
from inception_bench.gate.power.scenario import FALSE_ALARM
from inception_bench.records.duet_body import PowerBody
from inception_bench.records.record import Record
from inception_bench.report.github import Note
from inception_bench.report.markdown import about, table
from inception_bench.report.text import seconds_text

_HEADS = (
    "trials", "cell", "asked", "gate", "rate (95 %)", "answer", "unclear", "median of a trial", "longest",
    f"{RIVAL_RULE}, one run after the other", f"{RIVAL_RULE}, rounds of both in turn",
)  # fmt: skip
_HOW = """\
Each trial is a duet of one cell with fresh processes on both sides, and ends as soon as its verdict is clear. An alarm
is the verdict `slower`. Where there are cores enough, two pairs of processes are timed at once, both processes of each
on the same cores, or in turn where other programs need one. The slow-down is burnt by the worker of side b inside its
clock; loaded means that another process burns one core in bursts for half of the time; with "one thread for all" side a
has a thread for each core. Beside the gate stands pytest-benchmark's own rule on the same rounds: side a's of the first
half of the trial against side b's of the second, and all of both. Intervals are exact (Clopper and Pearson). `open`:
not all trials are done."""


def power_page(rows: Sequence[PowerRow], records: Sequence[Record[PowerBody]]) -> str:
    """The whole page: ``rows`` are those of ``records``."""
    threads = min(record.own_case.runtime.threads for record in records)  # in one scenario side a has more threads
    each = "One thread" if threads == 1 else f"{threads} threads"
    runs = dict.fromkeys(record.run.run_id for record in records)  # every call of the command is a run
    hours = sum(record.body.seconds for record in records) / 3600
    trials = f"{each} a process; {len(records)} trials in {hours:.1f} h, run {', '.join(runs)}."
    parts = ["# Power of the gate", f"{about(records[-1].run)}\n{trials}", _HOW, table(_HEADS, map(_cells, rows))]
    return "\n\n".join(parts) + "\n"


def power_notes(rows: Sequence[PowerRow]) -> list[Note]:
    """An error for each rate over all cells that is missed."""
    return [
        Note("error", row.scenario.name, f"{row.scenario.counts}: {_hits(row.gate)}, asked: {_asked(row)}")
        for row in missed(rows)
    ]


def power_json(rows: Sequence[PowerRow]) -> dict[str, Any]:
    """Plain JSON values."""
    return {"exit_code": exit_code(rows), "rows": [{**asdict(row), "answer": row.answer} for row in rows]}


def _cells(row: PowerRow) -> list[str]:
    return [
        "" if row.cell else row.scenario.name,
        row.cell or "all",
        "" if row.cell else f"{row.scenario.counts}: {_asked(row)}",
        _hits(row.gate),
        f"{row.gate.low:.1%} to {row.gate.high:.1%}" if row.gate.trials else "",
        "" if row.cell else row.answer,
        str(row.unclear),
        seconds_text(row.median_s),
        seconds_text(row.longest_s),
        _hits(row.rival_apart),
        _hits(row.rival_together),
    ]


def _asked(row: PowerRow) -> str:
    bound = row.scenario.bound
    return f"at most {bound:.1%}" if row.scenario.counts == FALSE_ALARM else f"at least {bound:.0%}"


def _hits(rate: Rate) -> str:
    return f"{rate.hits} of {rate.trials}"
