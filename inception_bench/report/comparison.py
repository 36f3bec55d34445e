"""A comparison of two stored runs as text, Markdown and JSON: exact facts and times apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inception_bench.gate.stored.compare import Compared, Comparison
from inception_bench.gate.stored.measured import UNTIMED, UNTIMED_WHY, name_of
from inception_bench.gate.stored.stored_run import StoredRun
from inception_bench.gate.stored.timing import NOT_COMPARABLE, POINTER, Timing
from inception_bench.records.fact import CHANGE, IMPROVEMENT, REGRESSION
from inception_bench.records.kinds import KINDS
from inception_bench.records.roofline import paces_apart
from inception_bench.report.github import Note
from inception_bench.report.markdown import table
from inception_bench.report.text import ratio

_TIMES = ("cell", "verdict", "speed-up before", "after", "time", "allowed", "why it moved")
_MARKS = {REGRESSION: "worse", IMPROVEMENT: "better", CHANGE: "changed"}


def verdict_line(comparison: Comparison) -> str:
    """One sentence: is the second run worse, and was all of it compared?"""
    groups = {noun: things for noun, things in (("cells", comparison.cells), ("others", comparison.others)) if things}
    shared = " and ".join(f"{len(things)} {noun}" for noun, things in groups.items()) or "nothing"
    if comparison.regressed:
        worse = (
            f"{sum(bool(each.regressions) for each in things)} of {len(things)} {noun}"
            for noun, things in groups.items()
        )
        return f"REGRESSION in {' and '.join(worse)}"
    if comparison.uncompared:
        absent = len(comparison.missing) + len(comparison.new)
        return f"NOT COMPARED: {absent} are in one run only; compared without a regression: {shared}"
    timed = "times not compared" if comparison.times_reason else "exact facts and times"
    return f"no regression in {shared} ({timed})"


def comparison_text(comparison: Comparison) -> str:
    """The comparison in a terminal, a line a change."""
    lines = [f"baseline: {_about(comparison.before)}", f"this run: {_about(comparison.after)}", "", "exact facts:"]
    exact = [f"  {each.name}: {_MARKS[fact.rating]}: {fact.text}" for each in _all(comparison) for fact in each.facts]
    lines += exact or ["  all equal"]
    lines += ["", "times (speed-up vs eager):", *(f"  {line}" for line in _machine_lines(comparison))]
    lines += [f"  {line}" for line in _time_lines(comparison)]
    if comparison.uncompared:
        lines += ["", "not compared:", *(f"  {line}" for line in comparison.uncompared)]
    return "\n".join([*lines, "", verdict_line(comparison)])


def comparison_page(comparison: Comparison) -> str:
    """The comparison as Markdown, for a step summary or a file."""
    parts = [
        f"# Comparison: {verdict_line(comparison)}",
        f"* baseline: {_about(comparison.before)}\n* this run: {_about(comparison.after)}",
        "## Exact facts",
        _fact_table(_all(comparison)) or "All equal.",
        "## Times",
        _timing_section(comparison),
    ]
    if comparison.uncompared:
        parts += ["## Not compared", "\n".join(f"* {line}" for line in comparison.uncompared)]
    return "\n\n".join(parts) + "\n"


def comparison_notes(comparison: Comparison) -> list[Note]:
    """An annotation for each regression and for each cell or time that was not compared."""
    notes = [Note("error", each.name, text) for each in comparison.regressed for text in each.regressions]
    notes += [Note("error", "not compared", line) for line in comparison.uncompared]
    return notes + ([Note("warning", "times", comparison.times_reason)] if comparison.times_reason else [])


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "verdict": verdict_line(comparison),
        "exit_code": comparison.exit_code,
        "before": _run_json(comparison.before),
        "after": _run_json(comparison.after),
        "times_not_comparable": comparison.times_reason,
        "machine_pace_share": paces_apart(comparison.before.machine, comparison.after.machine),
        "spread": asdict(comparison.spread),
        "missing": [name_of(record) for record in comparison.missing],
        "new": [name_of(record) for record in comparison.new],
        "cells": [
            {
                "cell": cell.name,
                "case": cell.record.own_case.to_json(),
                "outcome": cell.record.body.outcome,
                "timing": None if cell.timing is None else asdict(cell.timing),
                "machine": None if cell.paces is None else {**asdict(cell.paces), "share": cell.paces.share},
                **_findings(cell),
            }
            for cell in comparison.cells
        ],
        "others": [{"name": each.name, "kind": each.record.kind, **_findings(each)} for each in comparison.others],
    }


def _findings(each: Compared) -> dict[str, Any]:
    return {"facts": [fact.to_json() for fact in each.facts], "regressions": each.regressions}


def _all(comparison: Comparison) -> tuple[Compared, ...]:
    return (*comparison.cells, *comparison.others)


def _run_json(stored: StoredRun) -> dict[str, Any]:
    accepted = None if stored.acceptance is None else asdict(stored.acceptance)
    return {
        "folder": str(stored.folder),
        "run_id": stored.run.run_id,
        "started": stored.run.started,
        "accepted": accepted,
    }


def _about(stored: StoredRun) -> str:
    accepted = stored.acceptance
    told = f"; accepted by {accepted.who} on {accepted.when[:10]}: {accepted.why}" if accepted else ""
    counts_by_kind = Counter(record.kind for record in stored.measured.values())
    counts = ", ".join(KINDS[name].counted(count) for name, count in counts_by_kind.items())
    return f"{stored.folder}, run {stored.run.run_id}: {counts}{told}"


def _machine_lines(comparison: Comparison) -> list[str]:
    """How the machine's own pace differed between the runs, which moves speed-ups; empty where it was not read."""
    before, after = comparison.before.machine.pace, comparison.after.machine.pace
    share = paces_apart(comparison.before.machine, comparison.after.machine)
    if before is None or after is None or share is None:
        return []
    return [
        f"the machine gave {share:.0%} of what it gave in run {comparison.before.run.run_id}: "
        f"{after / 1e9:.3g} GMAC/s in fp32 after {before / 1e9:.3g}"
    ]


def _time_lines(comparison: Comparison) -> list[str]:
    timed = [(cell, cell.timing) for cell in comparison.cells if cell.timing is not None]
    lines = [
        "; ".join(filter(None, (f"{cell.name}: {_timing_words(timing)}", cell.machine_moved))) for cell, timing in timed
    ]
    if comparison.times_reason or not lines:
        lines = [comparison.times_reason or f"no cell has a time in both runs; {POINTER}"]
    return [*lines, *_untimed(comparison)]


def _untimed(comparison: Comparison) -> list[str]:
    """A sentence for the things that have times which are not compared; none where there are no such things."""
    untimed = [kind.noun for kind in UNTIMED if kind.among(each.record for each in comparison.others)]
    return [f"not compared: times of {' and '.join(f'{noun}s' for noun in untimed)} ({UNTIMED_WHY})"] if untimed else []


def _timing_words(timing: Timing) -> str:
    if timing.verdict == NOT_COMPARABLE:
        return f"not comparable: {timing.reason}"
    return (
        f"{timing.verdict}: {ratio(timing.before)} -> {ratio(timing.after)}, time {timing.change:+.1%}, "
        f"allowed {timing.allowed:.1%}"
    )


def _fact_table(things: Sequence[Compared]) -> str:
    rows = [(each.name, _MARKS[fact.rating], fact.text) for each in things for fact in each.facts]
    return table(("measured", "", "fact"), rows) if rows else ""


def _timing_section(comparison: Comparison) -> str:
    machine = [f"{line[0].upper()}{line[1:]}." for line in _machine_lines(comparison)]
    return "\n\n".join(
        [*machine, _timing_table(comparison), *(line.capitalize() + "." for line in _untimed(comparison))]
    )


def _timing_table(comparison: Comparison) -> str:
    if comparison.times_reason:
        return comparison.times_reason
    rows = []
    for cell in comparison.cells:
        if cell.timing is not None and cell.timing.verdict != NOT_COMPARABLE:
            timing = cell.timing
            both = ratio(timing.before), ratio(timing.after)
            shares = f"{timing.change:+.1%}", f"{timing.allowed:.1%}"
            rows.append((cell.name, timing.verdict, *both, *shares, cell.machine_moved))
    if not rows:
        return f"Beside eager's own rows, which are their own reference, no cell has a time in both runs; {POINTER}."
    spread = (
        f"A/A spread of a cell's speed-up here: {comparison.spread.log_rms:.1%}, of {comparison.spread.pairs} rows."
    )
    return f"{table(_TIMES, rows)}\n\n{spread}"
