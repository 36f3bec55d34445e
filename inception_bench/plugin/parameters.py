"""What the suites' fixtures run over: for each, its cases with their ids, clocks, groups and expected duration.

pytest collects these; nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from inception_bench.measure.guesses import cell_parts, counting_parts, pair_parts, step_parts, training_parts
from inception_bench.plugin.clock import ReportedClock
from inception_bench.report.progress import Expected
from inception_bench.spec.case import Case

if TYPE_CHECKING:
    from inception_bench.claims.claim import Claim
    from inception_bench.measure.selection import Selection

_UNUSED = "ignore:Benchmark fixture was not used at all"


@dataclass(frozen=True)
class Comparand:
    """What one comparison with the baseline covers: a cell, or (None) all that a session measures beside cells."""

    case: Case | None


def clock_of(node: pytest.Item) -> ReportedClock:
    """The clock of virtual time that pytest-benchmark reads for an item."""
    marker = node.get_closest_marker("benchmark")
    if marker is None or "timer" not in marker.kwargs:
        raise RuntimeError(f"{node.name} has no reported clock")
    clock: ReportedClock = marker.kwargs["timer"]
    return clock


def cell_params(selection: Selection) -> list[Any]:
    """The cells of the networks as they are."""
    return [_cell_param("cell", case, selection.profile.rounds) for case in selection.cases]


def trained_cell_params(selection: Selection) -> list[Any]:
    """The cells of trained networks."""
    return [_cell_param("trained cell", case, selection.profile.rounds) for case in selection.trained]


def regression_params(selection: Selection) -> list[Any]:
    """What is compared with the baseline. It takes no time and is not counted among what is measured."""
    named = [(case.id, Comparand(case)) for case in (*selection.cases, *selection.trained)]
    marks = pytest.mark.filterwarnings(_UNUSED)
    return [pytest.param(value, id=name, marks=marks) for name, value in (*named, ("all-else", Comparand(None)))]


def network_params(selection: Selection) -> list[Any]:
    """One case a network, width and input size."""
    cases = {
        (case.network.address, case.network.input_size, case.network.width_mult): case
        for case in reversed(selection.cases)
    }
    return [
        _param(
            case,
            f"{address}-{size}px-w{width:g}",
            Expected("count", f"{address}-complexity", counting_parts(case)),
            group="exact",
        )
        for (address, size, width), case in reversed(cases.items())
    ]


def training_params(selection: Selection) -> list[Any]:
    """The networks to train; the clock shows the seconds of their steps, trained now or before."""
    return [
        _param(
            case,
            case.training_id,
            Expected("training", f"train {case.training_id}", training_parts(case)),
            group="training",
            timer=ReportedClock(),
        )
        for case in selection.trainings
    ]


def step_params(selection: Selection) -> list[Any]:
    """The training steps to time."""
    rounds = selection.profile.step_rounds
    return [
        _param(
            case,
            case.training_id,
            Expected("step", f"step {case.training_id}", step_parts(case, rounds)),
            group=f"step b{case.runtime.batch_size}",
            timer=ReportedClock(),
        )
        for case in selection.steps
    ]


def pair_params(selection: Selection) -> list[Any]:
    """Two networks beside each other on one runtime."""
    from inception_bench.measure.pairing import PAIR_ROUNDS, selected_pairs

    return [
        _timed_param(
            pair,
            Expected("pair", pair.id, pair_parts(pair, PAIR_ROUNDS)),
            group=f"{pair.name} b{pair.new.runtime.batch_size}",
        )
        for pair in selected_pairs(selection)
    ]


def claim_params(selection: Selection) -> list[Any]:
    """All of the papers' claims; the test of a claim that the profile leaves out says so."""
    from inception_bench.claims.ledger import ledger
    from inception_bench.claims.methods.choice import expected_parts

    return [
        _param(
            claim,
            claim.id,
            Expected(
                _claim_kind(claim, selection), claim.id, expected_parts(claim, selection.profile, selection.cases)
            ),
            group="claims",
        )
        for claim in ledger().values()
    ]


PARAMETERS: dict[str, Callable[[Selection], Iterable[Any]]] = {
    "cell": cell_params,
    "network": network_params,
    "training": training_params,
    "training_step": step_params,
    "trained_cell": trained_cell_params,
    "regression": regression_params,
    "pair": pair_params,
    "claim": claim_params,
}


# The fixtures of what is measured beside cells.
OTHERS = ("network", "training", "training_step", "pair", "claim")


def _claim_kind(claim: Claim, selection: Selection) -> str:
    """Claims that are not measured take as little time as those that are arithmetic."""
    from inception_bench.claims.methods.choice import left_out, method_of

    measured = left_out(claim, selection.profile) is None
    return f"claim by {method_of(claim).stores if measured else 'figures'}"


def _cell_param(kind: str, case: Case, rounds: int) -> Any:
    group = f"{case.network.address} {case.network.input_size}px b{case.runtime.batch_size}"
    return _timed_param(case, Expected(kind, case.id, cell_parts(case, rounds)), group=group)


def _timed_param(value: Any, expected: Expected, *, group: str) -> Any:
    """An item whose workers time themselves; in the terminal and among pytest's tests it has one name."""
    return _param(value, expected.name, expected, group=group, timer=ReportedClock(), disable_gc=True)


def _param(value: Any, name: str, expected: Expected, **benchmark: Any) -> Any:
    marks = [
        pytest.mark.benchmark(**benchmark),
        pytest.mark.inception_item(expected),
        pytest.mark.filterwarnings(_UNUSED),
    ]
    return pytest.param(value, id=name, marks=marks)
