"""``claims.csv``: every claim of the ledger, with what came out in a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from inception_bench.claims.ledger import ledger
from inception_bench.claims.methods.choice import judge_stored
from inception_bench.claims.outcome import Outcome, not_run
from inception_bench.claims.verdict import VERDICTS
from inception_bench.records.kinds import CLAIM, PAIR
from inception_bench.records.pairs import pair_of
from inception_bench.records.record import Record


@dataclass(frozen=True)
class ClaimRow:
    """One claim. The fields are the columns of ``claims.csv``, in order; several figures are parted by semicolons.

    Figures and tolerances are plain numbers in SI units and shares; an empty interval is an exact figure. ``expected``
    is empty where there is no expectation on the run's device yet, which ``reason`` then says.
    """

    id: str
    source: str
    kind: str
    statement: str
    condition: str
    figure_claimed: str
    figure_measured: str
    ci95_low: str
    ci95_high: str
    tolerance: str
    verdict: str
    expected: str
    reason: str
    run_id: str


COLUMNS = tuple(field.name for field in fields(ClaimRow))


def outcomes_of(records: Sequence[Record[Any]]) -> list[Outcome]:
    """An outcome for every claim of the ledger, in its order; the last record of a claim counts.

    A claim without a record was not selected in this run. The list is empty where no record is of a claim.
    """
    pairs = {pair_of(record).id: record for record in PAIR.among(records)}
    bodies = {claim_id: record.body for claim_id, record in CLAIM.newest(records).items()}
    if not bodies:
        return []
    device = [body.run_device for body in bodies.values()][-1]
    return [
        judge_stored(claim, bodies[claim.id], pairs)
        if claim.id in bodies
        else replace(not_run(claim, "not selected in this run"), device=device)
        for claim in ledger().values()
    ]


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many claims ended with each verdict."""
    numbers = Counter(outcome.verdict for outcome in outcomes)
    return {verdict: numbers[verdict] for verdict in VERDICTS}


def claim_row(outcome: Outcome, run_id: str) -> ClaimRow:
    """An outcome as a row."""
    claim, figures = outcome.claim, outcome.figures
    timed = any(figure.low != figure.high for figure in figures)
    return ClaimRow(
        claim.id,
        claim.source,
        claim.kind,
        claim.statement,
        claim.condition,
        claim.claimed_text or claim.figure,
        _numbers([figure.value for figure in figures]),
        _numbers([figure.low for figure in figures]) if timed else "",
        _numbers([figure.high for figure in figures]) if timed else "",
        claim.tolerance_text,
        outcome.verdict,
        outcome.expected or "",
        why(outcome),
        run_id,
    )


def why(outcome: Outcome) -> str:
    """One line: the ledger's reason for the expected verdict, and this run's note where it has another."""
    if not outcome.note or outcome.note == outcome.claim.reason:
        return outcome.reason
    return f"{outcome.note}; {outcome.reason}" if outcome.figures else outcome.note


def _numbers(values: Sequence[float]) -> str:
    return "; ".join(f"{value:.10g}" for value in values)
