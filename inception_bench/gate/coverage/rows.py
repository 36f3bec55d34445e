"""What the trials of coverage came to: how often each stratum's intervals held the truth, and how wide they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from inception_bench.gate.coverage.stratum import EQUAL_TRIALS, INJECTED, SLOWED_TRIALS
from inception_bench.gate.power.scenario import SURE
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.record import Record
from inception_bench.records.sampling import half_width
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import Interval, median, share_interval

LEVEL = 0.95
# What the pooled rate of programs beside themselves must lie between, and over how many trials at least.
POOLED, POOLED_TRIALS = (0.93, 0.98), 400


@dataclass(frozen=True)
class CoverageRow:
    """One stratum, or all programs beside themselves together (``is_pooled``).

    ``held`` of ``trials`` intervals held the truth; ``rate`` is their share with its 95 % interval (Wilson). Of the
    trials: the median half-width of the interval as a share of the speed-up, the median number of pairs of processes,
    and the median round in seconds. None where there is no trial.
    """

    name: str
    wanted: int
    held: int
    trials: int
    rate: Interval | None = None
    half_width: float | None = None
    pairs: float | None = None
    round_s: float | None = None
    is_pooled: bool = False

    @property
    def answer(self) -> str:
        """``reached`` where all trials are done and the rate is right, ``missed`` where it is wrong, else ``open``.

        Before all trials are done, a rate counts as missed only if the trials so far are improbable at LEVEL (SURE).
        """
        if self.rate is None:
            return "open"
        if self.trials < self.wanted:
            from scipy.stats import binomtest

            return "missed" if binomtest(self.held, self.trials, LEVEL).pvalue < SURE else "open"
        low, high = POOLED if self.is_pooled else (self.rate.low, self.rate.high)
        given = self.rate.value if self.is_pooled else LEVEL
        return "reached" if low <= given <= high else "missed"


def coverage_rows(records: Sequence[Record[CoverageBody]]) -> list[CoverageRow]:
    """Programs beside themselves, pooled and by stratum, then each injected ratio. Estimated from the raw rounds."""
    equal = [record for record in records if record.body.truth == 1]
    names = sorted({record.body.stratum for record in equal})
    rows = [
        _row("a program beside itself", POOLED_TRIALS, equal, is_pooled=True),
        *(_row(name, EQUAL_TRIALS, [each for each in equal if each.body.stratum == name]) for name in names),
    ]
    for truth in INJECTED:
        own = [record for record in records if record.body.truth == truth]
        rows.append(_row(f"{truth:g} times slower", SLOWED_TRIALS, own))
    return rows


def halves(records: Sequence[Record[CoverageBody]]) -> tuple[list[Record[CoverageBody]], list[Record[CoverageBody]]]:
    """The trials on which the constants of the estimator were fitted, and those that prove them.

    Those of each stratum are dealt out by the Thue-Morse sequence (0, 1, 1, 0, 1, 0, 0, 1, ...): networks take turns
    too, and every other trial would give one half the narrow networks and the other the wide ones.
    """
    numbers: Counter[str] = Counter()
    made: tuple[list[Record[CoverageBody]], list[Record[CoverageBody]]] = [], []
    for record in records:
        made[numbers[record.body.stratum].bit_count() % 2].append(record)
        numbers[record.body.stratum] += 1
    return made


def _row(name: str, wanted: int, records: Sequence[Record[CoverageBody]], *, is_pooled: bool = False) -> CoverageRow:
    if not records:
        return CoverageRow(name, wanted, 0, 0, is_pooled=is_pooled)
    intervals = [speedup(record) for record in records]
    held = [float(each.low <= record.body.truth <= each.high) for each, record in zip(intervals, records, strict=True)]
    return CoverageRow(
        name,
        wanted,
        int(sum(held)),
        len(records),
        share_interval(held),
        median([half_width(each) for each in intervals]),
        median([record.body.timed.pairs for record in records]),
        median([median(record.body.timed.candidate_s) for record in records]),
        is_pooled,
    )


def exit_code(rows: Sequence[CoverageRow]) -> int:
    """1 where a rate is missed, else 0."""
    return int(any(row.answer == "missed" for row in rows))
