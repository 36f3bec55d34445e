"""A process of the paired reference that serves several cells; at most one is alive at a time."""

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
    """Holds the partner of the cells under way: all runtimes of one network and batch are timed beside it.

    Cells are measured network by network and batch by batch, so that the partner of another case is no longer needed.
    It is then ended, as it takes memory of the GPU. A partner whose process has ended is not used again.
    """

    _key: tuple[Case, str] | None = field(default=None, init=False)
    _partner: Partner | None = field(default=None, init=False)

    def find(self, case: Case, artifact: Artifact) -> Partner | None:
        """The living partner for ``case`` with these weights, or None."""
        if self._partner is None or self._key != (case, artifact.digest) or not self._partner.engine.alive:
            self.close()
        return self._partner

    def keep(self, case: Case, artifact: Artifact, partner: Partner) -> None:
        """Keep ``partner`` for the next cells, and end the partner that was kept before."""
        self.close()
        self._key, self._partner = (case, artifact.digest), partner

    def owns(self, engine: Engine) -> bool:
        """Whether ``engine`` is the partner that is kept, and so lives on after its cell."""
        return self._partner is not None and self._partner.engine is engine

    def close(self) -> None:
        """End the partner, if there is one."""
        if self._partner is not None:
            self._partner.engine.kill()
        self._key, self._partner = None, None
