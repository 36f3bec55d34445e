"""Times of two runs made at different moments: what chance may change on that machine, and whether more changed.

Absolute times of different moments say little: on a shared machine medians of identical code were seen to differ by
a factor of 0.63 to 1.44. So each cell's speed-up is compared instead: the median ratio of eager's rounds to the cell's
rounds, which were measured in turn within the same seconds.

How far the speed-up of identical code differs between two runs is measured on the machine itself. A row of the
backend eager times eager against another process of eager (an A/A pair), so that its median ratio differs from 1 by
chance alone. The root mean square of the logarithms of all such rows of both runs is the spread of one cell; where the
cell's own interval shows a larger error, that is used. The difference of two cells has the root of the sum of the two
squares as its spread. What chance is allowed is that spread times a quantile of Student's t, with as many degrees of
freedom as there are A/A rows, at FAMILY_LEVEL divided by the number of cells (Bonferroni: so the probability of any
false ``slower`` in the whole comparison is at most FAMILY_LEVEL). Few A/A rows thus give a wide allowance.

A disturbance need not slow two engines alike: between two runs of one code, on one machine, ONNX Runtime's speed-up was
seen to differ by 7 % while A/A rows spread by 1 %; eager's own rounds had changed too. So the change of the cell's
eager rounds between the two runs is added to the allowance.

Rows of eager have a speed-up of 1, however fast eager is: only ``duet`` can tell whether eager got slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inception_bench.gate.stored.stored_run import StoredRun
from inception_bench.measure.measurement import Measurement
from inception_bench.records.record import Record, differing
from inception_bench.records.resume import MACHINE as SAME_MACHINE
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import Interval, median

SAME, SLOWER, FASTER, NOT_COMPARABLE = "same", "slower", "faster", "not comparable"
FAMILY_LEVEL = 0.005  # of a false `slower` anywhere in a comparison
LEAST_PAIRS = 2
MOST_ALLOWED = 0.5  # share; where chance may change a time by more, there is no verdict
# Facts that must be equal in both runs for times to be comparable. The source is none: its changes are what is judged.
MACHINE = (*SAME_MACHINE, "governor")
CONFIGURATION = ("python", "packages", "thread_variables")
_Z95 = 1.96
POINTER = "inception-bench duet times both in one job"


@dataclass(frozen=True)
class Timing:
    """A cell's speed-up in both runs.

    ``change`` is the share by which the cell's time grew relative to eager's (0.01 is 1 %); ``allowed`` is the share
    by which chance may change it on this machine. They are None where times are not comparable; ``reason`` says why.
    """

    verdict: str
    before: Interval | None = None
    after: Interval | None = None
    change: float | None = None
    allowed: float | None = None
    reason: str = ""

    @property
    def has_moved(self) -> bool:
        """Whether the intervals of the two runs do not meet."""
        if self.before is None or self.after is None:
            return False
        return self.before.high < self.after.low or self.after.high < self.before.low


@dataclass(frozen=True)
class Spread:
    """The root mean square of the log speed-ups of ``pairs`` A/A rows: how far chance moves one cell."""

    log_rms: float
    pairs: int


def aa_spread(runs: Iterable[StoredRun]) -> Spread:
    """The spread of all eager-against-eager rows of ``runs``."""
    logs = [
        math.log(speedup(record).value)
        for run in runs
        for record in run.cells
        if record.body.is_ok and _is_eager_itself(record)
    ]
    return Spread(math.sqrt(sum(value * value for value in logs) / len(logs)) if logs else 0.0, len(logs))


def not_comparable(before: StoredRun, after: StoredRun, spread: Spread) -> str:
    """Why times of the two runs cannot be compared; empty where they can."""
    ours, theirs = after.run.environment, before.run.environment
    for what, names in (("machine", MACHINE), ("configuration", CONFIGURATION)):
        for name in differing(ours, theirs, names):
            differs = _difference(theirs.get(name), ours.get(name))
            return f"times not comparable: another {what} ({name}: {differs}); {POINTER}"
    if spread.pairs < LEAST_PAIRS:
        return (
            f"times not comparable: {spread.pairs} eager-against-eager rows tell this machine's A/A spread, at least "
            f"{LEAST_PAIRS} are needed (measure the backend eager too); {POINTER}"
        )
    return ""


def compare_times(before: Record[Measurement], after: Record[Measurement], spread: Spread, cells: int) -> Timing:
    """Compare the speed-ups of one cell; ``cells`` is how many cells are judged together."""
    if _is_eager_itself(before):
        return Timing(NOT_COMPARABLE, reason=f"eager is its own reference; {POINTER}")
    from scipy.stats import t

    old, new = speedup(before), speedup(after)
    change = math.log(old.value / new.value)
    for name, record in (("baseline", before), ("run", after)):
        if record.body.timed.pairs == 1:
            reason = (
                f"the {name} has one pair of processes a cell, and no 95 % interval; measure it again, or: {POINTER}"
            )
            return Timing(NOT_COMPARABLE, old, new, math.expm1(change), None, reason)
    level = FAMILY_LEVEL / cells
    deviation = math.hypot(*(max(spread.log_rms, _log_error(interval)) for interval in (old, new)))
    allowed = float(t.ppf(1 - level, spread.pairs)) * deviation + _reference_shift(before, after)
    if math.expm1(allowed) > MOST_ALLOWED:
        reason = f"chance alone may move it by over {MOST_ALLOWED:.0%} on this machine; {POINTER}"
        return Timing(NOT_COMPARABLE, old, new, math.expm1(change), None, reason)
    verdict = SLOWER if change > allowed else FASTER if change < -allowed else SAME
    return Timing(verdict, old, new, math.expm1(change), math.expm1(allowed))


def _reference_shift(before: Record[Measurement], after: Record[Measurement]) -> float:
    """How much the median of the cell's eager rounds changed from one run to the other, as an absolute logarithm."""
    old, new = (median(record.body.timed.reference_s) for record in (before, after))
    return abs(math.log(new / old))


def _is_eager_itself(record: Record[Measurement]) -> bool:
    """Whether the cell is eager, and so timed against a second process of eager: an A/A row."""
    return record.own_case == record.own_case.reference()


def _log_error(interval: Interval) -> float:
    """The standard error of the logarithm, from a 95 % interval."""
    return math.log(interval.high / interval.low) / (2 * _Z95)


def _difference(before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        names: Sequence[str] = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        return ", ".join(f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}" for name in names)
    return f"{before} -> {after}"
