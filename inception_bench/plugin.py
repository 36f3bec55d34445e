"""The pytest plug-in: options, the fixtures of the suites, progress, and the board at the end.

It holds no arithmetic and no file format; it hands what pytest and pytest-benchmark give it to a
BenchRun. In a test session that has none of its suites it does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inception_bench.errors import UsageError
from inception_bench.parameters import PARAMETERS, clock_of
from inception_bench.spec.profile import PROFILES

if TYPE_CHECKING:
    from inception_bench.against import Against, RegressionItem
    from inception_bench.claim_items import ClaimItem
    from inception_bench.items import CellItem, NetworkItem, TrainingItem
    from inception_bench.measure.selection import Selection
    from inception_bench.pair_items import PairItem
    from inception_bench.run import BenchRun
    from inception_bench.watch import Watch

OPTIONS: dict[str, tuple[str, str]] = {
    "models": ("NAMES", "networks (name or name@definition), or 'all', or 'all-definitions'"),
    "backends": ("NAMES", "runtimes, or 'all'; options in brackets: compile[mode=max-autotune]"),
    "device": ("NAME", "where to run"),
    "precisions": ("NAMES", "numeric precisions"),
    "batch-sizes": ("NUMBERS", "images a call"),
    "input-sizes": ("NUMBERS", "pixels a side; default: each network's native size"),
    "width-mults": ("NUMBERS", "filter multipliers, such as 0.25,1"),
    "profile": ("NAME", f"how much to run: {', '.join(PROFILES)}"),
    "results": ("DIR", "where the results go; default results/local"),
    "baseline": ("DIR", "a stored run to compare with: what got worse fails"),
    "threads": ("N", "threads inside one operation; default: all usable cores"),
    "data": ("NAME", "what to train and to measure accuracy on: digits, fashion-mnist, imagefolder:PATH, hf:NAME"),
    "weights": (
        "FILE",
        "a checkpoint (or timm:NAME, torchvision:NAME) for the one network of --inception-models",
    ),
    "require": ("BACKENDS", "runtimes whose absence is a failure, not a skip"),
    "python": ("BACKEND=PYTHON", "run a runtime's workers with another interpreter"),
    "resume": ("", "take over cells of the results folder that are ok for the same case, code, versions and machine"),
}
NO_CASES = ("results", "baseline")  # options that do not decide what is measured
NOT_AT_ONCE = "-n runs cells at the same time, which spoils their times; run the suites without it"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("inception_bench", "inception_bench (lists are comma-separated)")
    for name, (metavar, text) in OPTIONS.items():
        given: dict[str, Any] = {"metavar": metavar} if metavar else {"action": "store_true"}
        group.addoption(f"--inception-{name}", default=None, help=text, **given)
    parser.addini(
        "inception_limits",
        "seconds a stage may take: build=900 load=180 parity=300 accuracy=1800 time=900 train=43200",
        "string",
        "",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "inception_item(seconds): an item of the suites, and a guess of its duration")
    config.stash[STATE] = State(config)
    if any(_option(config, name) is not None for name in OPTIONS):
        if _numprocesses(config):
            raise pytest.UsageError(NOT_AT_ONCE)
        config.stash[STATE].select()
        config.stash[STATE].read_baseline()


@dataclass
class State:
    """What one test session knows: the selection once it is needed, the run once an item needs it."""

    config: pytest.Config
    selection: Selection | None = None
    run: BenchRun | None = None
    watch: Watch | None = None
    against: Against | None = None

    def select(self) -> Selection:
        from inception_bench.measure.selection import Request, select

        if self.selection is None:
            asked: dict[str, Any] = {
                name.replace("-", "_"): _option(self.config, name) for name in OPTIONS if name not in NO_CASES
            }
            asked["resume"] = bool(asked["resume"])
            try:
                self.selection = select(Request(**asked))
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
        return self.selection

    def read_baseline(self) -> None:
        """Read the stored run that was asked for, before anything is measured."""
        folder = _option(self.config, "baseline")
        if folder is None:
            return
        from inception_bench.against import Against

        try:
            self.against = Against.open(Path(folder), self.folder, self.disabled)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None

    def open(self, expected_s: list[float]) -> None:
        """Begin the run for the collected items, of which each has a guess in seconds."""
        from inception_bench.run import BenchRun, parse_limits
        from inception_bench.watch import Watch

        try:
            limits = parse_limits(self.config.getini("inception_limits"))
            self.run = BenchRun.open(self.folder, self.select(), limits, keeps_records=not self.disabled)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        self.watch = Watch.over(self.config, expected_s, self.run.selection.profile.rounds)

    def opened(self) -> tuple[BenchRun, Watch]:
        """The run and its watch; a worker of pytest-xdist has none, and its items fail in one line."""
        if hasattr(self.config, "workerinput"):
            pytest.fail(NOT_AT_ONCE, pytrace=False)
        if self.run is None or self.watch is None:
            raise RuntimeError("no run is open; pytest collected no item of the suites")
        return self.run, self.watch

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return Path(_option(self.config, "results") or "results/local")

    @property
    def disabled(self) -> bool:
        """Whether pytest-benchmark was told not to time anything."""
        return bool(self.config.getoption("benchmark_disable", False))


STATE = pytest.StashKey["State"]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, params_of in PARAMETERS.items():
        if fixture in metafunc.fixturenames:
            params = params_of(metafunc.config.stash[STATE].select())
            metafunc.parametrize(fixture, params, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Comparisons come after all that they compare; without a baseline there are none."""
    late = [item for item in items if "regression" in getattr(item, "fixturenames", ())]
    if late:
        rest = [item for item in items if item not in late]
        items[:] = rest + (late if config.stash[STATE].against is not None else [])


def pytest_collection_finish(session: pytest.Session) -> None:
    marks = [item.get_closest_marker("inception_item") for item in session.items]
    if session.config.option.collectonly or hasattr(session.config, "workerinput") or not any(marks):
        return
    session.config.stash[STATE].open([mark.args[0] for mark in marks if mark is not None])


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> CellItem:
    """A cell to measure: ``cell.measure(benchmark)``."""
    from inception_bench.items import CellItem

    state = request.config.stash[STATE]
    return CellItem(*state.opened(), request.param, clock_of(request.node), not state.disabled)


@pytest.fixture
def network(request: pytest.FixtureRequest) -> NetworkItem:
    """A network to count: ``network.count(benchmark)``."""
    from inception_bench.items import NetworkItem

    state = request.config.stash[STATE]
    return NetworkItem(*state.opened(), request.param, not state.disabled)


@pytest.fixture
def trained_cell(request: pytest.FixtureRequest) -> CellItem:
    """A cell of a trained network, with its accuracy: ``trained_cell.measure(benchmark)``."""
    from inception_bench.items import CellItem

    state = request.config.stash[STATE]
    return CellItem(*state.opened(), request.param, clock_of(request.node), not state.disabled)


@pytest.fixture
def training(request: pytest.FixtureRequest) -> TrainingItem:
    """A network to train: ``training.train(benchmark)``."""
    from inception_bench.items import TrainingItem

    state = request.config.stash[STATE]
    return TrainingItem(*state.opened(), request.param, clock_of(request.node), not state.disabled)


@pytest.fixture
def training_step(request: pytest.FixtureRequest) -> TrainingItem:
    """A training step to time: ``training_step.time_step(benchmark)``."""
    from inception_bench.items import TrainingItem

    state = request.config.stash[STATE]
    return TrainingItem(*state.opened(), request.param, clock_of(request.node), not state.disabled)


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> PairItem:
    """Two networks to measure beside each other: ``pair.measure(benchmark)``."""
    from inception_bench.pair_items import PairItem

    state = request.config.stash[STATE]
    return PairItem(*state.opened(), request.param, clock_of(request.node), not state.disabled)


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> ClaimItem:
    """A claim of the papers to check: ``claim.check(benchmark)``."""
    from inception_bench.claim_items import ClaimItem

    state = request.config.stash[STATE]
    return ClaimItem(*state.opened(), request.param, not state.disabled)


@pytest.fixture
def regression(request: pytest.FixtureRequest) -> RegressionItem:
    """A cell to compare with the baseline: ``regression.check()``."""
    from inception_bench.against import RegressionItem

    state = request.config.stash[STATE]
    run, _ = state.opened()
    if state.against is None:
        raise RuntimeError("no baseline is open; pytest collected a comparison without one")
    return RegressionItem(run, state.against, request.param)


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """A finished cell has written a line of its own, with how many are done: no letter, no percentage."""
    if report.when == "call" and "inception_item" in report.keywords and config.get_verbosity() <= 0:
        return report.outcome, "", ""
    return None


@pytest.hookimpl(trylast=True)  # below the table of pytest-benchmark
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    state = config.stash[STATE]
    if state.run is None or state.disabled:
        return
    from inception_bench.report.console import board_text

    board = state.run.write_board()
    if board is None:
        return
    terminalreporter.section("inception_bench")
    for text in (
        board_text(board, colour=terminalreporter.hasmarkup) if board.rows else "",
        state.run.claims_summary(),
    ):
        if text:
            terminalreporter.write_line(f"{text}\n")
    terminalreporter.write_line(
        f"results: {state.run.folder.resolve()} (leaderboard.csv, leaderboard.md, records.jsonl)"
    )
    if state.against is not None:
        state.against.report(state.run, terminalreporter)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A regression is exit code 1 also where no test of it was collected."""
    state = session.config.stash[STATE]
    if exitstatus == pytest.ExitCode.OK and state.run is not None and state.against is not None:
        session.exitstatus = state.against.exit_code(state.run)


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None and state.run is not None:
        state.run.close()


def _option(config: pytest.Config, name: str) -> str | None:
    return config.getoption("inception_" + name.replace("-", "_"))


def _numprocesses(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None))
