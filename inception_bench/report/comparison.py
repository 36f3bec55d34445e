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
from inception_bench.report.github import Note
from inception_bench.report.markdown import table
from inception_bench.report.text import ratio

_TIMES = ("cell", "verdict", "speed-up before", "after", "time", "allowed")
_MARKS = {REGRESSION: "worse", IMPROVEMENT: "better", CHANGE: "changed"}


def verdict_line(found: Comparison) -> str:
    """One sentence: is the second run worse, and was all of it compared?"""
    groups = {noun: things for noun, things in (("cells", found.cells), ("others", found.others)) if things}
    shared = " and ".join(f"{len(things)} {noun}" for noun, things in groups.items()) or "nothing"
    if found.regressed:
        worse = (
            f"{sum(bool(each.regressions) for each in things)} of {len(things)} {noun}"
            for noun, things in groups.items()
        )
        return f"REGRESSION in {' and '.join(worse)}"
    if found.uncompared:
        absent = len(found.missing) + len(found.new)
        return f"NOT COMPARED: {absent} are in one run only; compared without a regression: {shared}"
    timed = "times not compared" if found.times_reason else "exact facts and times"
    return f"no regression in {shared} ({timed})"


def comparison_text(found: Comparison) -> str:
    """The comparison in a terminal, a line a change."""
    lines = [f"baseline: {_about(found.before)}", f"this run: {_about(found.after)}", "", "exact facts:"]
    exact = [f"  {each.name}: {_MARKS[fact.kind]}: {fact.text}" for each in _all(found) for fact in each.facts]
    lines += exact or ["  all equal"]
    lines += ["", "times (speed-up vs eager):"]
    lines += [f"  {line}" for line in _time_lines(found)]
    if found.uncompared:
        lines += ["", "not compared:", *(f"  {line}" for line in found.uncompared)]
    return "\n".join([*lines, "", verdict_line(found)])


def comparison_page(found: Comparison) -> str:
    """The comparison as Markdown, for a step summary or a file."""
    parts = [
        f"# Comparison: {verdict_line(found)}",
        f"* baseline: {_about(found.before)}\n* this run: {_about(found.after)}",
        "## Exact facts",
        _fact_table(_all(found)) or "All equal.",
        "## Times",
        _timing_section(found),
    ]
    if found.uncompared:
        parts += ["## Not compared", "\n".join(f"* {line}" for line in found.uncompared)]
    return "\n\n".join(parts) + "\n"


def comparison_notes(found: Comparison) -> list[Note]:
    """An annotation for each regression and for each cell or time that was not compared."""
    notes = [Note("error", each.name, text) for each in found.regressed for text in each.regressions]
    notes += [Note("error", "not compared", line) for line in found.uncompared]
    return notes + ([Note("warning", "times", found.times_reason)] if found.times_reason else [])


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "verdict": verdict_line(found),
        "exit_code": found.exit_code,
        "before": _run_json(found.before),
        "after": _run_json(found.after),
        "times_not_comparable": found.times_reason,
        "spread": asdict(found.spread),
        "missing": [name_of(record) for record in found.missing],
        "new": [name_of(record) for record in found.new],
        "cells": [
            {
                "cell": cell.name,
                "case": cell.record.own_case.to_json(),
                "outcome": cell.record.body.outcome,
                "timing": None if cell.timing is None else asdict(cell.timing),
                **_findings(cell),
            }
            for cell in found.cells
        ],
        "others": [{"name": each.name, "kind": each.record.kind, **_findings(each)} for each in found.others],
    }


def _findings(each: Compared) -> dict[str, Any]:
    return {"facts": [asdict(fact) for fact in each.facts], "regressions": each.regressions}


def _all(found: Comparison) -> tuple[Compared, ...]:
    return (*found.cells, *found.others)


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
    kinds = Counter(record.kind for record in stored.measured.values())
    counts = ", ".join(KINDS[kind].counted(count) for kind, count in kinds.items())
    return f"{stored.folder}, run {stored.run.run_id}: {counts}{told}"


def _time_lines(found: Comparison) -> list[str]:
    lines = [f"{cell.name}: {_timing_words(cell.timing)}" for cell in found.cells if cell.timing is not None]
    if found.times_reason or not lines:
        lines = [found.times_reason or f"no cell has a time in both runs; {POINTER}"]
    return [*lines, *_untimed(found)]


def _untimed(found: Comparison) -> list[str]:
    """What has times that no two runs are compared by."""
    untimed = [kind.noun for kind in UNTIMED if kind.among(each.record for each in found.others)]
    return [f"not compared: times of {' and '.join(f'{noun}s' for noun in untimed)} ({UNTIMED_WHY})"] if untimed else []


def _timing_words(timing: Timing) -> str:
    if timing.verdict == NOT_COMPARABLE:
        return f"not comparable: {timing.reason}"
    return (
        f"{timing.verdict}: {ratio(timing.before)} -> {ratio(timing.after)}, time {timing.change:+.1%}, "
        f"allowed {timing.allowed:.1%}"
    )


def _fact_table(things: Sequence[Compared]) -> str:
    rows = [(each.name, _MARKS[fact.kind], fact.text) for each in things for fact in each.facts]
    return table(("measured", "", "fact"), rows) if rows else ""


def _timing_section(found: Comparison) -> str:
    return "\n\n".join([_timing_table(found), *(line.capitalize() + "." for line in _untimed(found))])


def _timing_table(found: Comparison) -> str:
    if found.times_reason:
        return found.times_reason
    rows = []
    for cell in found.cells:
        if cell.timing is not None and cell.timing.verdict != NOT_COMPARABLE:
            timing = cell.timing
            both = ratio(timing.before), ratio(timing.after)
            rows.append((cell.name, timing.verdict, *both, f"{timing.change:+.1%}", f"{timing.allowed:.1%}"))
    if not rows:
        return f"Beside eager's own rows, which are their own reference, no cell has a time in both runs; {POINTER}."
    spread = f"A/A spread of a cell's speed-up here: {found.spread.log_rms:.1%}, of {found.spread.pairs} rows."
    return f"{table(_TIMES, rows)}\n\n{spread}"
