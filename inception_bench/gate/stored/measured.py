"""What a record is of, so that it can be found again in another run: a table, a line for each kind of record.

Kinds that are not here (a duet, a trial of power) are judged by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inception_bench.claims.timing import pair_of
from inception_bench.claims.verdict import INCONCLUSIVE, NOT_RUN, NOT_TESTABLE
from inception_bench.gate.stored.fact import IMPROVEMENT, REGRESSION, Fact, exact_facts, network_facts, training_facts
from inception_bench.records.record import Record
from inception_bench.records.resume import key_of_case, key_of_pair
from inception_bench.spec.case import Case

CELL = "cell"
# Sums of the same numbers in another order differ in the last bits.
_SUM_ERROR = 1e-9


@dataclass(frozen=True)
class Kind:
    """``key`` tells one thing from all others of its kind, ``name`` is for readers; ``facts`` must be the same."""

    noun: str
    key: Callable[[Record], str]
    name: Callable[[Record], str]
    facts: Callable[[Record, Record], Iterable[Fact]]

    def counted(self, count: int) -> str:
        """``1 pair``, ``2 pairs``."""
        return f"{count} {self.noun}{'s' * (count != 1)}"


def find_measured(records: Iterable[Record]) -> dict[str, Record]:
    """The last record of each thing that was measured, by a key that is the same in every run."""
    return {f"{record.kind} {KINDS[record.kind].key(record)}": record for record in records if _is_measured(record)}


def name_of(record: Record) -> str:
    """A cell's own name; of anything else it is said what it is."""
    kind = KINDS[record.kind]
    return kind.name(record) if record.kind == CELL else f"{kind.noun} {kind.name(record)}"


def list_absent(records: Iterable[Record], where: str) -> list[str]:
    """Which things are not in a run: a sentence for each cell, then one for each other kind of them."""
    names: dict[str, list[str]] = {}
    for record in records:
        names.setdefault(record.kind, []).append(KINDS[record.kind].name(record))
    cells = [f"{name}: not in {where}" for name in names.pop(CELL, [])]
    return cells + [f"{KINDS[kind].counted(len(own))} not in {where}: {', '.join(own)}" for kind, own in names.items()]


def facts_of(before: Record, after: Record) -> tuple[Fact, ...]:
    """Every exact fact in which two records of one thing differ."""
    return tuple(KINDS[after.kind].facts(before, after))


def _is_measured(record: Record) -> bool:
    """A claim that the profile left out, or that cannot be tested on that machine, was not measured."""
    return record.kind in KINDS and record.body.get("state") not in (NOT_RUN, NOT_TESTABLE)


def _pair_key(record: Record) -> str:
    return key_of_pair(record.body["pair"], record.case, record.body["partner"])


def _case_key(record: Record) -> str:
    return key_of_case(record.case)


def _case_name(record: Record) -> str:
    return Case.from_json(record.case).id


def _counting_name(record: Record) -> str:
    """What costs depend on; the runtime and threads that a case names too do not count."""
    network = Case.from_json(record.case).network
    return f"{network.address}-{network.input_size}px-w{network.width_mult:g}-c{network.num_classes}"


def _counting_facts(before: Record, after: Record) -> Iterator[Fact]:
    """The table's costs, and what each public counter gave; one that is not installed there gave None."""
    yield from network_facts(before, after)
    for name, old in before.body.items():
        new = after.body.get(name, "nothing")
        if isinstance(old, int) and new is not None and old != new:
            yield Fact(name, old, new, REGRESSION, "counted otherwise")


def _claim_id(record: Record) -> str:
    claim: str = record.body["id"]
    return claim


def _claim_facts(before: Record, after: Record) -> Iterator[Fact]:
    """Figures without an interval are arithmetic over tables; the others, and verdicts, are the ledger's to judge."""
    old, new = before.body["state"], after.body["state"]
    if old != new:
        yield Fact("state", old, new, REGRESSION if new == INCONCLUSIVE else IMPROVEMENT, after.body["note"])
        return
    was, now = (_exact_figures(record.body["figures"]) for record in (before, after))
    if len(was) != len(now) or not all(map(_equal, was, now)):
        yield Fact("figures", _listed(was), _listed(now), REGRESSION, "arithmetic came out otherwise")


def _exact_figures(figures: Iterable[Mapping[str, Any]]) -> list[float]:
    return [figure["value"] for figure in figures if figure["low"] == figure["high"]]


def _equal(before: float, after: float) -> bool:
    return math.isclose(before, after, rel_tol=_SUM_ERROR)


def _listed(figures: Iterable[float]) -> str:
    return "; ".join(f"{figure:.10g}" for figure in figures)


KINDS = {
    CELL: Kind("cell", _case_key, _case_name, exact_facts),
    "pair": Kind("pair", _pair_key, lambda record: pair_of(record).id, exact_facts),
    "training": Kind("training", _case_key, _case_name, training_facts),
    "step": Kind("training step", _case_key, _case_name, network_facts),
    "complexity": Kind("count", _counting_name, _counting_name, _counting_facts),
    "claim": Kind("claim", _claim_id, _claim_id, _claim_facts),
}
# Of these times are kept and not compared.
UNTIMED, UNTIMED_WHY = ("pair", "step"), "no round of eager stands beside them"
