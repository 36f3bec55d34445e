"""What a duet showed, from its records alone: each cell's verdict and exact facts, and whether it was compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_bench.errors import UsageError
from inception_bench.gate.judgement import SLOWER, UNCLEAR, Judgement, judge, settle
from inception_bench.records.differences import side_facts
from inception_bench.records.duet_body import SIDES, DuetBody
from inception_bench.records.fact import REGRESSION, Fact
from inception_bench.records.journal import FILE, Journal, newest_run
from inception_bench.records.kinds import DUET
from inception_bench.records.process_pair import rounds_of
from inception_bench.records.record import Record
from inception_bench.records.statistics import median
from inception_bench.spec.case import Case

# Outcomes and stages that mean, where side b ends with one, that b is wrong. Every other end means that the cell was
# not compared.
WRONG = ("mismatch", "mislabelled")
WRONG_STAGES = ("parity", "time")


@dataclass(frozen=True)
class DuetRow:
    """One cell. ``reason`` says why it was not compared, ``wrong`` what is wrong with side b; empty where nothing is.

    ``a_p50_s`` and ``b_p50_s`` are the sides' median rounds in seconds.
    """

    case: Case
    judgement: Judgement
    facts: tuple[Fact, ...]
    reason: str = ""
    wrong: str = ""
    a_p50_s: float | None = None
    b_p50_s: float | None = None

    @property
    def regressions(self) -> list[str]:
        """A sentence for each thing that is worse in b."""
        sentences = [fact.text for fact in self.facts if fact.rating == REGRESSION] + [self.wrong] * bool(self.wrong)
        if self.judgement.verdict == SLOWER:
            effect, low, high = (self.judgement.effect, self.judgement.low, self.judgement.high)
            sentences.append(f"slower by {effect:.1%} ({low:+.1%} to {high:+.1%}), p {self.judgement.p_slower:.1g}")
        return sentences


@dataclass(frozen=True)
class DuetResult:
    """All cells of one duet, after Holm's rule. ``sides`` says what a and b were."""

    sides: dict[str, Any]
    min_effect: float
    rows: tuple[DuetRow, ...]

    @property
    def regressed(self) -> list[DuetRow]:
        return [row for row in self.rows if row.regressions]

    @property
    def uncompared(self) -> list[DuetRow]:
        return [row for row in self.rows if row.reason]

    @property
    def exit_code(self) -> int:
        """1 for a regression; 2 where a cell was not compared; else 0."""
        return 1 if self.regressed else 2 if self.uncompared else 0


def load_duet(folder: Path) -> DuetResult:
    """The newest duet in a results folder, judged again from its raw rounds. Raises UsageError where there is none."""
    records, complaints = Journal(folder / FILE).read()
    if complaints:
        raise UsageError(f"{complaints[0]}: what cannot be read whole is not judged; measure it again")
    duets = DUET.among(records)
    if not duets:
        raise UsageError(f"{folder / FILE} holds no duet; give two results folders to compare, or that of a duet")
    return judge_duet(newest_run(duets))


def judge_duet(records: Sequence[Record[DuetBody]]) -> DuetResult:
    """The verdicts of one duet's records."""
    settled = settle([judgement_of(record.body) for record in records])
    rows = tuple(_row(record, judgement) for record, judgement in zip(records, settled, strict=True))
    sides = {name: side.installation for name, side in records[0].body.sides.items()}
    return DuetResult(sides, records[0].body.plan.min_effect, rows)


def judgement_of(body: DuetBody) -> Judgement:
    """A cell's verdict without Holm's rule: looks are judged in their order, until the first that is not unclear."""
    judgement, rule = Judgement(UNCLEAR), body.rule
    if body.outcome != "ok" or rule is None:
        return judgement
    for count in range(rule.pairs_a_look, len(body.pairs) + 1, rule.pairs_a_look):
        judgement = judge(body.pairs[:count], rule)
        if judgement.verdict != UNCLEAR:
            break
    return judgement


def _row(record: Record[DuetBody], judgement: Judgement) -> DuetRow:
    body, case = record.body, record.own_case
    if body.outcome != "ok":
        text = f"side {body.side}, stage {body.stage}: {body.outcome}: {body.reason}"
        is_wrong = body.side == "b" and (body.outcome in WRONG or body.stage in WRONG_STAGES)
        return DuetRow(case, judgement, (), "" if is_wrong else text, text if is_wrong else "")
    p50 = {side: median(rounds_of(body.pairs, side)) for side in SIDES}
    facts = side_facts(*(body.sides[side] for side in SIDES))
    return DuetRow(case, judgement, facts, a_p50_s=p50["a"], b_p50_s=p50["b"])
