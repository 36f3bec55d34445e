"""A comparison of two stored runs as text, Markdown and JSON: exact facts and times apart."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from inception_bench.gate.compare import CellComparison, Comparison
from inception_bench.gate.fact import CHANGE, IMPROVEMENT, REGRESSION
from inception_bench.gate.stored_run import StoredRun
from inception_bench.gate.timing import NOT_COMPARABLE, POINTER, Timing
from inception_bench.report.github import Note
from inception_bench.report.text import ratio

_MARKS = {REGRESSION: "worse", IMPROVEMENT: "better", CHANGE: "changed"}


def verdict_line(found: Comparison) -> str:
    """One sentence: is the second run worse, and was all of it compared?"""
    count = len(found.cells)
    if found.regressed:
        return f"REGRESSION in {len(found.regressed)} of {count} cells"
    if found.uncompared:
        return f"NOT COMPARED: {len(found.uncompared)} cells are in one run only; no regression in the {count} others"
    timed = "times not compared" if found.times_reason else "exact facts and times"
    return f"no regression in {count} cells ({timed})"


def comparison_text(found: Comparison) -> str:
    """The comparison in a terminal, a line a change."""
    lines = [f"baseline: {_about(found.before)}", f"this run: {_about(found.after)}", "", "exact facts:"]
    exact = [f"  {cell.case.id}: {_MARKS[fact.kind]}: {fact.text}" for cell in found.cells for fact in cell.facts]
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
        _fact_table(found.cells) or "All equal.",
        "## Times",
        _timing_table(found),
    ]
    if found.uncompared:
        parts += ["## Not compared", "\n".join(f"* {line}" for line in found.uncompared)]
    return "\n\n".join(parts) + "\n"


def comparison_notes(found: Comparison) -> list[Note]:
    """An annotation for each regression and for each cell or time that was not compared."""
    notes = [Note("error", cell.case.id, text) for cell in found.regressed for text in cell.regressions]
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
        "missing": [case.id for case in found.missing],
        "new": [case.id for case in found.new],
        "cells": [_cell_json(cell) for cell in found.cells],
    }


def _cell_json(cell: CellComparison) -> dict[str, Any]:
    return {
        "cell": cell.case.id,
        "case": cell.case.to_json(),
        "outcome": cell.outcome,
        "facts": [asdict(fact) for fact in cell.facts],
        "timing": None if cell.timing is None else asdict(cell.timing),
        "regressions": cell.regressions,
    }


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
    return f"{stored.folder}, run {stored.run.run_id}, {len(stored.cells)} cells{told}"


def _time_lines(found: Comparison) -> list[str]:
    if found.times_reason:
        return [found.times_reason]
    return [f"{cell.case.id}: {_timing_words(cell.timing)}" for cell in found.cells if cell.timing is not None]


def _timing_words(timing: Timing) -> str:
    if timing.verdict == NOT_COMPARABLE:
        return f"not comparable: {timing.reason}"
    return (
        f"{timing.verdict}: {ratio(timing.before)} -> {ratio(timing.after)}, time {timing.change:+.1%}, "
        f"allowed {timing.allowed:.1%}"
    )


def _fact_table(cells: tuple[CellComparison, ...]) -> str:
    rows = [
        f"| {cell.case.id} | {_MARKS[fact.kind]} | {fact.text.replace('|', '/')} |"
        for cell in cells
        for fact in cell.facts
    ]
    return "\n".join(["| cell | | fact |", "| --- | --- | --- |", *rows]) if rows else ""


def _timing_table(found: Comparison) -> str:
    if found.times_reason:
        return found.times_reason
    rows = []
    for cell in found.cells:
        if cell.timing is not None and cell.timing.verdict != NOT_COMPARABLE:
            timing = cell.timing
            both = f"{ratio(timing.before)} | {ratio(timing.after)}"
            rows.append(f"| {cell.case.id} | {timing.verdict} | {both} | {timing.change:+.1%} | {timing.allowed:.1%} |")
    if not rows:
        return f"Beside eager's own rows, which are their own reference, no cell has a time in both runs; {POINTER}."
    head = ["| cell | verdict | speed-up before | after | time | allowed |", "| --- | --- | --- | --- | --- | --- |"]
    spread = f"A/A spread of a cell's speed-up here: {found.spread.log_rms:.1%}, of {found.spread.pairs} rows."
    return "\n".join([*head, *rows]) + f"\n\n{spread}"
