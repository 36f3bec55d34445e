"""Processes of the paired reference that serve several cells: one at a time lives on."""

from __future__ import annotations

from dataclasses import dataclass, field

from inception_bench.measure.parity import Parity
from inception_bench.processes.process import Process
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact


@dataclass(frozen=True)
class Partner:
    """A loaded, attested and compared worker of a paired reference; ``pid`` tells which process it is."""

    worker: Process
    parity: Parity
    pid: int


@dataclass
class Partners:
    """The partner of the cells under way: all runtimes of one network and batch are timed beside it.

    Cells are measured network by network and batch by batch, so a partner of another case is no longer needed
    and is ended: its memory is the GPU's. One whose process has ended is not given again.
    """

    _key: tuple[Case, str] | None = field(default=None, init=False)
    _partner: Partner | None = field(default=None, init=False)

    def find(self, case: Case, artifact: Artifact) -> Partner | None:
        """The living partner for ``case`` with these weights, or None."""
        if self._partner is None or self._key != (case, artifact.digest) or not self._partner.worker.alive:
            self.close()
        return self._partner

    def keep(self, case: Case, artifact: Artifact, partner: Partner) -> None:
        """From now on ``partner`` serves; the one before is ended."""
        self.close()
        self._key, self._partner = (case, artifact.digest), partner

    def owns(self, worker: Process) -> bool:
        """Whether a worker is to live on after its cell."""
        return self._partner is not None and self._partner.worker is worker

    def close(self) -> None:
        """End the partner."""
        if self._partner is not None:
            self._partner.worker.kill()
        self._key, self._partner = None, None
