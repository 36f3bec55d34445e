"""The pytest plug-in: the hooks of options, collection, progress, and the board at the end.

It holds no arithmetic and no file format; it hands what pytest and pytest-benchmark give it to a
BenchRun. In a test session that has none of its suites it does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from inception_bench.plugin import fixtures
from inception_bench.plugin.parameters import OTHERS, PARAMETERS, Comparand
from inception_bench.plugin.session import NOT_AT_ONCE, OPTIONS, STATE, State, option

if TYPE_CHECKING:
    from inception_bench.plugin.run import BenchRun
    from inception_bench.report.progress import Expected


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
    parser.addini(
        "inception_l2",
        "how a timed call finds a GPU's second-level cache: warm (the default) or cold",
        "string",
        "warm",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "inception_item(expected): an item of the suites, and a guess of its duration")
    config.stash[STATE] = State(config)
    if any(option(config, name) is not None for name in OPTIONS):
        if _numprocesses(config):
            raise pytest.UsageError(NOT_AT_ONCE)
        config.stash[STATE].select()
        config.stash[STATE].read_baseline()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, params_of in PARAMETERS.items():
        if _is_ours(metafunc, fixture):
            params = params_of(metafunc.config.stash[STATE].select())
            metafunc.parametrize(fixture, params, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Comparisons come after all that they compare; there are none without a baseline, or of what no test measures."""
    late = [item for item in items if isinstance(_params(item).get("regression"), Comparand)]
    if not late:
        return
    items[:] = [item for item in items if item not in late]
    if config.stash[STATE].against is not None:
        params = [_params(item) for item in items]
        measured = [Comparand(each.get(name)) for each in params for name in ("cell", "trained_cell") if name in each]
        if any(name in each for each in params for name in OTHERS):
            measured.append(Comparand(None))
        items += [item for item in late if _params(item)["regression"] in measured]


def pytest_collection_finish(session: pytest.Session) -> None:
    expected = _expected(session.items)
    if session.config.option.collectonly or hasattr(session.config, "workerinput") or not expected:
        return
    session.config.stash[STATE].open(expected, [_params(item) for item in session.items])


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """How much there is to do, before it is begun; with --collect-only in its place."""
    expected = _expected(items)
    if not expected:
        return []
    from inception_bench.report.progress import expected_seconds
    from inception_bench.report.text import duration

    seconds = expected_seconds(config.stash[STATE].with_earlier(expected))
    return [f"inception_bench: {len(expected)} items, a first guess is {duration(seconds)}"]


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """A finished cell has written a line of its own, with how many are done: no letter, no percentage."""
    if report.when == "call" and "inception_item" in report.keywords and config.get_verbosity() <= 0:
        return report.outcome, "", ""
    return None


@pytest.hookimpl(trylast=True)  # below the table of pytest-benchmark
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    state = config.stash[STATE]
    if state.run is None:
        return
    if state.timed:
        _write_board(terminalreporter, state, state.run)
    pruned = state.run.end()
    if pruned is not None:
        from inception_bench.report.cache import pruned_line

        terminalreporter.write_line(pruned_line(pruned))


def _write_board(terminalreporter: pytest.TerminalReporter, state: State, run: BenchRun) -> None:
    from inception_bench.report.console import board_text, impossible_line

    board = run.write_board()
    if board is None:
        return
    terminalreporter.section("inception_bench")
    for text in (
        board_text(board, colour=terminalreporter.hasmarkup) if board.rows else "",
        run.claims_summary(),
    ):
        if text:
            terminalreporter.write_line(f"{text}\n")
    for row in board.impossible:
        terminalreporter.write_line(impossible_line(row), red=True)
    terminalreporter.write_line(f"results: {run.folder.resolve()} (leaderboard.csv, leaderboard.md, records.jsonl)")
    if state.against is not None:
        state.against.report(run, terminalreporter)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A regression, or a row that beats the machine's ceiling, is exit code 1 also where no test failed for it."""
    state = session.config.stash[STATE]
    if exitstatus != pytest.ExitCode.OK or state.run is None or not state.timed:
        return
    board = state.run.write_board()
    if board is not None and board.impossible:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif state.against is not None:
        session.exitstatus = state.against.exit_code(state.run)


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None and state.run is not None:
        state.keep_durations()
        state.run.end()


def _expected(items: Sequence[pytest.Item]) -> list[Expected]:
    """What each item of the suites is likely to take, by first guesses."""
    marks = [item.get_closest_marker("inception_item") for item in items]
    return [mark.args[0] for mark in marks if mark is not None]


def _params(item: pytest.Item) -> dict[str, Any]:
    """What a test runs over, by its fixtures."""
    callspec = getattr(item, "callspec", None)
    return {} if callspec is None else callspec.params


def _is_ours(metafunc: pytest.Metafunc, fixture: str) -> bool:
    """Whether a test asks for the plug-in's fixture, and not for one of its own that has the same name."""
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    names = [name.strip() for names in given for name in (names.split(",") if isinstance(names, str) else names)]
    # pytest has no public way to ask which definition a name stands for; the last one overrides the others.
    defined = metafunc._arg2fixturedefs.get(fixture)
    if fixture in names or not defined:
        return False
    return defined[-1].func.__module__ == fixtures.__name__


def _numprocesses(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None))
