"""Times of two runs of different moments: how far they may differ by chance on that machine, and whether they do.

An absolute time of another moment says little: on a shared machine medians of identical code were seen to differ by
a factor of 0.63 to 1.44. So what is compared is each cell's speed-up, the median ratio to eager rounds of the same
seconds. How far that differs between two runs of the same code the machine tells itself: a row of eager is eager
against eager in two processes of their own, so its median ratio would be 1 but for chance (an A/A pair). The root
mean square of the logarithms of all such rows of both runs is the spread of one cell; a difference of two has the
root of two squares, and Student's quantile with as many degrees of freedom as there are such rows, at the family's
level over the number of cells (Bonferroni), is the allowance. Few A/A rows so give a wide allowance by themselves.

What slows a machine down need not slow two engines alike: between two runs of one code, on one machine, ONNX
Runtime's speed-up was seen to differ by 7 % while A/A rows spread by 1 %; eager's own rounds had moved too. So the
shift of the cell's eager rounds between the two runs is added to the allowance.

Eager's own rows have a speed-up of 1 by construction: only ``duet`` can tell whether eager got slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inception_bench.gate.stored.stored_run import StoredRun
from inception_bench.measure.rounds import Rounds
from inception_bench.records.record import Record
from inception_bench.records.statistics import Interval, median, median_interval
from inception_bench.spec.runtime import REFERENCE_BACKEND

SAME, SLOWER, FASTER, NOT_COMPARABLE = "same", "slower", "faster", "not comparable"
FAMILY_LEVEL = 0.005  # of a false `slower` anywhere in a comparison
LEAST_PAIRS = 2
MOST_ALLOWED = 0.5  # where chance may do more, a verdict would say nothing
# What must be equal for times to be comparable. Not the source: a change of it is what a gate is for.
MACHINE = ("cpu", "architecture", "logical_cores", "usable_cores", "memory_bytes", "gpu", "system", "governor")
CONFIGURATION = ("python", "packages", "thread_variables")
_Z95 = 1.96
POINTER = "inception-bench duet times both in one job"


@dataclass(frozen=True)
class Timing:
    """A cell's speed-up in both runs. ``change`` is the share by which its time grew relative to eager; ``allowed``
    what chance may make of it on this machine. None where times are not comparable; ``reason`` says why.
    """

    verdict: str
    before: Interval | None = None
    after: Interval | None = None
    change: float | None = None
    allowed: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Spread:
    """What A/A rows say of one cell's log speed-up: its root mean square over ``pairs`` rows."""

    log_rms: float
    pairs: int


def aa_spread(runs: Iterable[StoredRun]) -> Spread:
    """The spread of all eager-against-eager rows of ``runs``."""
    logs = [
        math.log(speedup(record).value)
        for run in runs
        for record in run.cells.values()
        if record.case["backend"] == REFERENCE_BACKEND and record.body["outcome"] == "ok" and _is_plain(record)
    ]
    return Spread(math.sqrt(sum(value * value for value in logs) / len(logs)) if logs else 0.0, len(logs))


def not_comparable(before: StoredRun, after: StoredRun, spread: Spread) -> str:
    """Why times of the two runs cannot be compared; empty where they can."""
    ours, theirs = after.run.environment, before.run.environment
    for what, names in (("machine", MACHINE), ("configuration", CONFIGURATION)):
        for name in names:
            if ours.get(name) != theirs.get(name):
                differs = _difference(theirs.get(name), ours.get(name))
                return f"times not comparable: another {what} ({name}: {differs}); {POINTER}"
    if spread.pairs < LEAST_PAIRS:
        return (
            f"times not comparable: {spread.pairs} eager-against-eager rows tell this machine's A/A spread, at least "
            f"{LEAST_PAIRS} are needed (measure the backend eager too); {POINTER}"
        )
    return ""


def compare_times(before: Record, after: Record, spread: Spread, cells: int) -> Timing:
    """One cell's speed-ups, of ``cells`` that are judged together."""
    if before.case["backend"] == REFERENCE_BACKEND and _is_plain(before):
        return Timing(NOT_COMPARABLE, reason=f"eager is its own reference; {POINTER}")
    from scipy.stats import t

    old, new = speedup(before), speedup(after)
    level = FAMILY_LEVEL / cells
    deviation = math.hypot(*(max(spread.log_rms, _log_error(interval)) for interval in (old, new)))
    allowed = float(t.ppf(1 - level, spread.pairs)) * deviation + _reference_shift(before, after)
    change = math.log(old.value / new.value)
    if math.expm1(allowed) > MOST_ALLOWED:
        reason = f"chance alone may move it by over {MOST_ALLOWED:.0%} on this machine; {POINTER}"
        return Timing(NOT_COMPARABLE, old, new, math.expm1(change), None, reason)
    verdict = SLOWER if change > allowed else FASTER if change < -allowed else SAME
    return Timing(verdict, old, new, math.expm1(change), math.expm1(allowed))


def speedup(record: Record) -> Interval:
    """The median paired ratio of an ok record, from its raw rounds."""
    return median_interval(Rounds(**record.body["rounds"]).ratios())


def _reference_shift(before: Record, after: Record) -> float:
    """By how much the paired eager rounds of a cell moved from one run to the other, as an absolute logarithm."""
    old, new = (median(record.body["rounds"]["reference_s"]) for record in (before, after))
    return abs(math.log(new / old))


def _is_plain(record: Record) -> bool:
    return (record.case["precision"], record.case["options"]) == ("fp32", "{}")


def _log_error(interval: Interval) -> float:
    """The standard error of the logarithm, from a 95 % interval."""
    return math.log(interval.high / interval.low) / (2 * _Z95)


def _difference(before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        names: Sequence[str] = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        return ", ".join(f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}" for name in names)
    return f"{before} -> {after}"
