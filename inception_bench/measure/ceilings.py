"""What the machine gives: readings between the cells, and how a cell's pace compares with them (its roofline).

A shared machine does not give the same at all times. A reading times the fastest product and convolution that the
machine has (see ``inception_bench.gauge``). A cell's *state* is the better of the readings just before and just after
it. Its ceiling is the largest reading of the run that lies within ``SAME_STATE`` of that state: one disturbed reading
so lowers no ceiling, and one of a better hour raises none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.processes.installation import HERE, Installation
from inception_bench.processes.process import CallFailed, Process
from inception_bench.store.known import read_known

PROGRAM = "inception_bench.gauge"
SAME_STATE = 0.10
# A fraction above 1 may be a disturbed reading; above this something is counted or timed wrong.
IMPOSSIBLE = 1.05
_LIMIT_S = 120.0


@dataclass(frozen=True)
class Ceilings:
    """One reading, on ``threads`` threads: multiply-accumulates, bytes and operations a second; None is unknown.

    ``by`` names the engine and the operation that were fastest in binary32. ``copy_bytes_s`` is memory copied in all
    threads at once, ``spin_s`` seconds of a fixed piece of integer arithmetic on one core. The reading took
    ``seconds``.
    """

    threads: int
    fp32_macs_s: float
    by: str
    copy_bytes_s: float
    spin_s: float
    seconds: float
    bf16_macs_s: float | None = None
    int8_ops_s: float | None = None

    def macs_s(self, precision: str) -> float | None:
        """The ceiling of a precision; None where it was not measured."""
        return {"fp32": self.fp32_macs_s, "bf16": self.bf16_macs_s}.get(precision)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ceilings:
        """What ``to_json`` gave, or what the gauge answers. Raises TypeError for anything else."""
        return read_known(cls, data)


@dataclass(frozen=True)
class NoCeilings:
    """Why the machine was not read on ``threads`` threads: ``outcome`` is failed, timeout or unavailable."""

    threads: int
    outcome: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NoCeilings:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        return read_known(cls, data)


@dataclass
class Gauge:
    """The process that reads this machine; it sleeps between readings. ``precisions`` are those of the run's cells."""

    threads: int
    precisions: Sequence[str]
    installation: Installation = HERE
    _process: Process | None = field(default=None, init=False)
    _is_broken: bool = field(default=False, init=False)

    def read(self) -> Ceilings | NoCeilings | None:
        """What the machine gives now, or once why it cannot be told, which costs no cell; None ever after."""
        if self._is_broken:
            return None
        try:
            return Ceilings.from_json(self._started().call("read", _LIMIT_S)[0])
        except CallFailed as error:
            return self._broken(error.outcome, str(error))
        except OSError as error:  # the system starts no further process
            return self._broken("failed", f"the process did not start: {error.strerror}")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _broken(self, outcome: str, reason: str) -> NoCeilings:
        self._is_broken = True
        return NoCeilings(self.threads, outcome, reason)

    def _started(self) -> Process:
        if self._process is None:
            self._process = Process(
                PROGRAM, environment={"OMP_NUM_THREADS": str(self.threads)}, installation=self.installation
            )
            self._process.call("start", _LIMIT_S, threads=self.threads, precisions=list(self.precisions))
        return self._process


@dataclass(frozen=True)
class State:
    """The readings around a cell; None where there was none."""

    before: Ceilings | None
    after: Ceilings | None

    @property
    def change(self) -> float:
        """By which share the machine's pace in binary32 changed meanwhile; 0 where that is unknown."""
        if self.before is None or self.after is None:
            return 0.0
        return self.after.fp32_macs_s / self.before.fp32_macs_s - 1

    @property
    def has_changed(self) -> bool:
        return abs(self.change) > SAME_STATE

    @property
    def mark(self) -> str:
        """What a reader of a time must know of the machine; empty where it gave the same before and after."""
        return f"the machine's pace changed by {self.change:+.0%} meanwhile" if self.has_changed else ""

    def pace(self, precision: str, threads: int) -> float | None:
        """The better of the two readings, in multiply-accumulates a second; None where neither is of such a cell."""
        around = [_pace(each, precision, threads) for each in (self.before, self.after)]
        return max((pace for pace in around if pace is not None), default=None)

    def ceiling(self, run: Sequence[Ceilings], precision: str, threads: int) -> float | None:
        """The cell's ceiling among the readings of its ``run``, in multiply-accumulates a second; None if unknown."""
        state = self.pace(precision, threads)
        if state is None:
            return None
        paces = [pace for each in run if (pace := _pace(each, precision, threads)) is not None]
        return max(pace for pace in paces if abs(pace / state - 1) <= SAME_STATE)


def _pace(reading: Ceilings | None, precision: str, threads: int) -> float | None:
    if reading is None or reading.threads != threads:
        return None
    return reading.macs_s(precision)
