"""Records of earlier runs that still hold: of the same thing, measured by the same code on an equal machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.records.claim_body import ClaimBody
from inception_bench.records.kinds import CELL, CLAIM, KINDS, PAIR
from inception_bench.records.record import Record, Run, differing
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair

# The facts of an environment that must be the same for a time to hold. Left out: what may change without changing it
# (the git revision of equal sources), and what a run's own records keep (load, governor).
MACHINE = ("cpu", "architecture", "logical_cores", "usable_cores", "memory_bytes", "gpu", "system")
SAME = (*MACHINE, "python", "packages", "thread_variables", "source_hash")


@dataclass(frozen=True)
class Earlier:
    """What earlier runs measured that still holds: the last such record of each thing."""

    cells: Mapping[str, Record[Measurement]] = field(default_factory=dict)
    pairs: Mapping[str, Record[PairMeasurement]] = field(default_factory=dict)
    claims: Mapping[str, Record[ClaimBody]] = field(default_factory=dict)

    @classmethod
    def among(
        cls, records: Sequence[Record[Any]], environment: Mapping[str, Any], rounds: Callable[[Record[Any]], int]
    ) -> Earlier:
        """Those of ``records`` that hold: from an equal ``environment``, with as many rounds as ``rounds`` asks for."""
        holding = [
            record
            for record in records
            if record.kind in KINDS
            and not differing(record.run.environment, environment, SAME)
            and KINDS[record.kind].holds(record.body, rounds(record))
        ]
        return cls(CELL.newest(holding), PAIR.newest(holding), CLAIM.newest(holding))

    def cell(self, case: Case) -> Record[Measurement] | None:
        return self.cells.get(case.key)

    def pair(self, pair: Pair) -> Record[PairMeasurement] | None:
        return self.pairs.get(pair.key)

    def claim(self, claim_id: str) -> Record[ClaimBody] | None:
        return self.claims.get(claim_id)


def taken_over(record: Record[Any], run: Run) -> Record[Any]:
    """``record`` as one of ``run``, saying which run measured it."""
    return replace(record, run=run, resumed_from=record.resumed_from or record.run.run_id)
