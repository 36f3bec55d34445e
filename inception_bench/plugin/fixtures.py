"""The fixtures of the suites: each hands a test the item that it drives. The plug-in shows them to pytest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from inception_bench.plugin.parameters import clock_of
from inception_bench.plugin.session import STATE

if TYPE_CHECKING:
    from inception_bench.plugin.items.cells import CellItem, NetworkItem, StepItem, TrainingItem
    from inception_bench.plugin.items.claims import ClaimItem
    from inception_bench.plugin.items.factorisations import PairItem
    from inception_bench.plugin.items.regressions import RegressionItem

Item = TypeVar("Item")


def _item(request: pytest.FixtureRequest, item_class: Callable[..., Item], *clock: Any) -> Item:
    """An item of this session, for what the test runs over; ``clock`` is the item's own, where it has one."""
    state = request.config.stash[STATE]
    return item_class(*state.opened(), state.timed, *clock, request.param)


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> CellItem:
    """A cell to measure: ``cell.measure(benchmark)``."""
    from inception_bench.plugin.items.cells import CellItem

    return _item(request, CellItem, clock_of(request.node))


@pytest.fixture
def network(request: pytest.FixtureRequest) -> NetworkItem:
    """A network to count: ``network.count(benchmark)``."""
    from inception_bench.plugin.items.cells import NetworkItem

    return _item(request, NetworkItem)


@pytest.fixture
def trained_cell(request: pytest.FixtureRequest) -> CellItem:
    """A cell of a trained network, with its accuracy: ``trained_cell.measure(benchmark)``."""
    from inception_bench.plugin.items.cells import CellItem

    return _item(request, CellItem, clock_of(request.node))


@pytest.fixture
def training(request: pytest.FixtureRequest) -> TrainingItem:
    """A network to train: ``training.train(benchmark)``."""
    from inception_bench.plugin.items.cells import TrainingItem

    return _item(request, TrainingItem, clock_of(request.node))


@pytest.fixture
def training_step(request: pytest.FixtureRequest) -> StepItem:
    """A training step to time: ``training_step.time_step(benchmark)``."""
    from inception_bench.plugin.items.cells import StepItem

    return _item(request, StepItem, clock_of(request.node))


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> PairItem:
    """Two networks to measure beside each other: ``pair.measure(benchmark)``."""
    from inception_bench.plugin.items.factorisations import PairItem

    return _item(request, PairItem, clock_of(request.node))


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> ClaimItem:
    """A claim of the papers to check: ``claim.check(benchmark)``."""
    from inception_bench.plugin.items.claims import ClaimItem

    return _item(request, ClaimItem)


@pytest.fixture
def regression(request: pytest.FixtureRequest) -> RegressionItem:
    """What was measured, to compare with the baseline: ``regression.check()``."""
    from inception_bench.plugin.items.regressions import RegressionItem

    state = request.config.stash[STATE]
    run, _ = state.opened()
    if state.against is None:
        raise RuntimeError("no baseline is open; pytest collected a comparison without one")
    return RegressionItem(run, state.against, request.param.case)
