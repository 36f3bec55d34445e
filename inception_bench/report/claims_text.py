"""The ledger in a terminal: a line a claim, or one claim explained; and the same as JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inception_bench.claims.claim import Claim, show
from inception_bench.claims.methods.choice import least_profile
from inception_bench.claims.outcome import Outcome
from inception_bench.records.claim_body import NOT_RUN
from inception_bench.report.claims import claim_row, counts, why

COLOURS = {"reproduced": "green", "contradicted": "magenta", "inconclusive": "yellow"}


def ledger_text(outcomes: Sequence[Outcome], *, measured: bool, width: int = 160, colour: bool = False) -> str:
    """A line a claim: with what a run ``measured``, or with what the ledger expects."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        "id",
        "kind",
        "claim",
        "claimed",
        "measured" if measured else "",
        "verdict" if measured else "expected",
    ):
        table.add_column(head, overflow="fold", no_wrap=head in ("id", "kind"))
    for outcome in outcomes:
        claim, word = outcome.claim, outcome.verdict if measured else outcome.claim.expected
        shown = f"{word}, {outcome.remark}" if outcome.remark and measured else word
        style = COLOURS.get(word, "dim") if outcome.as_expected or not measured else "bold red"
        verdict = Text(shown, style=style)
        table.add_row(claim.id, claim.kind, Text(claim.statement), Text(claim.figure), outcome.measured_text, verdict)
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, "", summary(outcomes) if measured else f"{len(outcomes)} claims"])


def summary(outcomes: Sequence[Outcome]) -> str:
    """``190 claims: 83 reproduced, 35 contradicted, ...; all as expected``."""
    parts = [f"{number} {verdict}" for verdict, number in counts(outcomes).items() if number]
    news = [outcome.claim.id for outcome in outcomes if not outcome.as_expected]
    tail = f"otherwise than expected: {', '.join(news)}" if news else "all as expected"
    first = [outcome for outcome in outcomes if outcome.is_first]
    if first:
        tail += f"; {first[0].remark}: {', '.join(outcome.claim.id for outcome in first)}"
    return f"{len(outcomes)} claims: {', '.join(parts)}; {tail}"


def explanation(outcome: Outcome, *, measured: bool) -> str:
    """One claim in full, and the command that reproduces it."""
    claim = outcome.claim
    lines = [f"{claim.id}, {claim.source} ({claim.kind})", claim.statement]
    pairs = [
        ("measured on", claim.condition),
        ("claimed", _claimed(claim)),
        ("tolerance", claim.tolerance_text if claim.bounds else ""),
        ("why that tolerance", claim.tolerance_why),
        ("by hand", claim.by_hand),
        ("needs", "" if claim.needs == "nothing" else claim.needs),
        ("expected", f"{claim.expected}: {claim.reason}"),
        ("expected on cuda", _on_cuda(claim)),
    ]
    if measured:
        pairs += [("measured", outcome.measured_text), ("verdict", f"{outcome.verdict}: {why(outcome)}")]
    lines += [f"  {name}: {text}" for name, text in pairs if text]
    return "\n".join([*lines, f"  to reproduce: {command(claim)}"])


def _on_cuda(claim: Claim) -> str:
    """The verdict expected on a GPU, for claims about times: it may differ from the one on a CPU."""
    if not claim.is_timed:
        return ""
    return f"{claim.expected_cuda}: {claim.reason_cuda}" if claim.expected_cuda else "no expectation yet"


def command(claim: Claim) -> str:
    """What to run to measure a claim."""
    profile = least_profile(claim)
    option = f" --inception-profile={profile}" if profile else ""
    return f'pytest suites/test_claims.py --benchmark-only{option} -k "{claim.id}"'


def to_json(outcomes: Sequence[Outcome], run_id: str | None) -> str:
    """The rows of ``claims.csv`` with the hand calculation, as one JSON document; ``run_id`` None: no run."""
    rows = [_json_row(outcome, run_id) for outcome in outcomes]
    return json.dumps(rows, indent=1, ensure_ascii=False)


def _json_row(outcome: Outcome, run_id: str | None) -> dict[str, Any]:
    row: dict[str, Any] = asdict(claim_row(outcome, run_id or ""))
    if run_id is None:
        row = {key: None if key in ("verdict", "figure_measured", "run_id") else value for key, value in row.items()}
        row["reason"] = outcome.claim.reason
    return {**row, "by_hand": outcome.claim.by_hand, "command": command(outcome.claim)}


def _claimed(claim: Claim) -> str:
    words = [
        ("" if bound.relation == "=" else f"{bound.relation} ") + show(bound.value, unit)
        for bound, unit in zip(claim.bounds, claim.units, strict=False)
    ]
    return f"{claim.figure} (as numbers: {'; '.join(words)})" if words else claim.figure


def unread(claims: Sequence[Claim]) -> list[Outcome]:
    """An outcome for each claim where no run is shown: not run."""
    return [Outcome(claim, NOT_RUN) for claim in claims]
