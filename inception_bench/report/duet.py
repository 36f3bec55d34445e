"""A duet's result as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from inception_bench.gate.duet.result import DuetResult, DuetRow
from inception_bench.gate.judgement import FAMILY_LEVEL, UNCLEAR
from inception_bench.report.github import Note
from inception_bench.report.markdown import table
from inception_bench.report.text import milliseconds

_HEADS = ("cell", "verdict", "effect (95 %)", "a", "b", "pairs", "blocks", "exact facts")


def duet_line(result: DuetResult) -> str:
    """One sentence: is b worse, and was all of it compared?"""
    count, unclear = len(result.rows), sum(row.judgement.verdict == UNCLEAR for row in result.rows)
    if result.regressed:
        return f"REGRESSION in {len(result.regressed)} of {count} cells"
    if result.uncompared:
        return f"NOT COMPARED: {len(result.uncompared)} of {count} cells"
    return f"no regression in {count} cells" + (f", {unclear} of them unclear" if unclear else "")


def duet_text(result: DuetResult) -> str:
    """The result in a terminal, a line a cell."""
    lines = [f"{name}: {_about(side)}" for name, side in result.sides.items()]
    lines += [f"{row.case.id}: {duet_row_text(row)}" for row in result.rows]
    return "\n".join([*lines, duet_line(result), how(result)])


def duet_row_text(row: DuetRow) -> str:
    """What came of a cell, in words."""
    if row.reason or row.wrong:
        return row.reason or row.wrong
    facts = "; ".join(fact.text for fact in row.facts)
    return f"{row.judgement.verdict} {_effect(row)}, {_counts(row)}" + (f"; {facts}" if facts else "")


def how(result: DuetResult) -> str:
    """What the verdicts mean, in one sentence."""
    return (
        f"b against a: effects under {result.min_effect:.1%} count as same; the chance of any false 'slower' among all "
        f"{len(result.rows)} cells is at most {FAMILY_LEVEL:.1%} (Holm), however often one looked"
    )


def duet_page(result: DuetResult) -> str:
    """The result as Markdown."""
    about = "\n".join(f"* {name}: {_about(side)}" for name, side in result.sides.items())
    return f"# Duet: {duet_line(result)}\n\n{about}\n\n{table(_HEADS, map(_cells, result.rows))}\n\n{how(result)}.\n"


def duet_json(result: DuetResult) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "verdict": duet_line(result),
        "exit_code": result.exit_code,
        "min_effect": result.min_effect,
        "family_level": FAMILY_LEVEL,
        "sides": result.sides,
        "cells": [_row_json(row) for row in result.rows],
    }


def _row_json(row: DuetRow) -> dict[str, Any]:
    judged = {"judgement": asdict(row.judgement), "facts": [fact.to_json() for fact in row.facts]}
    plain = {**vars(row), "case": row.case.to_json(), **judged}
    return {"cell": row.case.id, **plain, "regressions": row.regressions}


def duet_notes(result: DuetResult) -> list[Note]:
    """Annotations: an error for what is worse or was not compared, a warning for what stayed unclear."""
    notes = [Note("error", row.case.id, text) for row in result.regressed for text in row.regressions]
    notes += [Note("error", row.case.id, f"not compared: {row.reason}") for row in result.uncompared]
    unclear = [row for row in result.rows if row.judgement.verdict == UNCLEAR and not row.reason and not row.wrong]
    return notes + [Note("warning", row.case.id, duet_row_text(row)) for row in unclear]


def _cells(row: DuetRow) -> list[str]:
    if row.reason or row.wrong:
        return [row.case.id, "not compared" if row.reason else "wrong", row.reason or row.wrong, *[""] * 5]
    times = [milliseconds(row.a_p50_s), milliseconds(row.b_p50_s)]
    facts = "; ".join(fact.text for fact in row.facts) or "equal"
    judgement = row.judgement
    return [row.case.id, judgement.verdict, _effect(row), *times, str(judgement.pairs), str(judgement.blocks), facts]


def _effect(row: DuetRow) -> str:
    judgement = row.judgement
    if judgement.effect is None:
        return "no data"
    return f"{judgement.effect:+.2%} ({judgement.low:+.2%} to {judgement.high:+.2%})"


def _counts(row: DuetRow) -> str:
    return f"{row.judgement.blocks} blocks of {row.judgement.pairs} pairs of processes"


def _about(side: dict[str, Any]) -> str:
    revision = f", revision {side['revision']}" if side["revision"] else ""
    packages = ", ".join(
        f"{name} {side['packages'][name]}" for name in ("torch", "onnxruntime") if name in side["packages"]
    )
    return f"{side['interpreter']}{revision}; Python {side['python']}, {packages}; sources {side['source_hash'][:10]}"
