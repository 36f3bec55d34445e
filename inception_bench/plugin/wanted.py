"""What the collected items are going to need from the cache, so that it can be built before the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.choice import timed_pairs
from inception_bench.measure.ahead import Wanted
from inception_bench.plugin.run import BenchRun
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair


def wanted(items: Iterable[Mapping[str, Any]], run: BenchRun, *, timed: bool) -> Wanted:
    """What ``items`` need, each given as what it runs over by its fixtures; not those that an earlier run measured.

    ``timed`` is False where nothing is timed, and so no claim of times measured.
    """
    cells: list[Case] = []
    trainings: list[Case] = []
    for item in items:
        for name, value in item.items():  # a user's own fixture of the same name may stand for anything
            if name == "training" and isinstance(value, Case):
                trainings.append(value)
            elif name in ("cell", "trained_cell") and isinstance(value, Case):
                cells += [value] if run.measured_before(value) is None else []
            elif name == "pair" and isinstance(value, Pair):
                cells += _cells_of([value], run)
            elif name == "claim" and isinstance(value, Claim) and timed:
                cells += _cells_of(timed_pairs(value, run.selection.profile, run.selection.cases), run)
    return Wanted(tuple(cells), tuple(trainings))


def _cells_of(pairs: Iterable[Pair], run: BenchRun) -> list[Case]:
    return [case for pair in pairs if run.earlier.pair(pair) is None for case in (pair.new, pair.old)]
