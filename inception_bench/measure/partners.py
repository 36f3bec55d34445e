"""Processes of the paired reference that serve several cells of one network."""

from __future__ import annotations

from dataclasses import dataclass, field

from inception_bench.measure.engine import Engine
from inception_bench.measure.parity import Parity
from inception_bench.spec.case import Case
from inception_bench.store.cache import Artifact


@dataclass(frozen=True)
class Partner:
    """A loaded and attested engine of a paired reference; ``parity`` compares its logits with the float64 reference."""

    engine: Engine
    parity: Parity


@dataclass
class Partners:
    """Holds the partners of the cells under way: all runtimes of one network and batch are timed beside them.

    A cell's pairs of processes are numbered, and each number has a partner of its own. Cells are measured network by
    network and batch by batch, so that the partners of another case are no longer needed. They are then ended, as they
    take memory of the GPU. A partner whose process has ended is not used again.
    """

    _key: tuple[Case, str] | None = field(default=None, init=False)
    _partners: dict[int, Partner] = field(default_factory=dict, init=False)

    def find(self, case: Case, artifact: Artifact, number: int) -> Partner | None:
        """The living partner for pair ``number`` of a cell of ``case`` with these weights, or None."""
        if self._key != (case, artifact.digest):
            self.close()
        partner = self._partners.get(number)
        return partner if partner is not None and partner.engine.alive else None

    def keep(self, case: Case, artifact: Artifact, number: int, partner: Partner) -> None:
        """Keep ``partner`` for pair ``number`` of the next cells."""
        if self._key != (case, artifact.digest):
            self.close()
        self._key = case, artifact.digest
        self._partners[number] = partner

    def owns(self, engine: Engine) -> bool:
        """Whether ``engine`` is a partner that is kept, and so lives on after its pair."""
        return any(partner.engine is engine for partner in self._partners.values())

    def close(self) -> None:
        """End all partners."""
        for partner in self._partners.values():
            partner.engine.kill()
        self._key, self._partners = None, {}
