"""What one test session knows: its options, what they select, the run and its watch, the baseline."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inception_bench.errors import UsageError, told
from inception_bench.machine.environment import usable_cores
from inception_bench.machine.processor import processor
from inception_bench.spec.profile import PROFILES
from inception_bench.store.cache import default_root
from inception_bench.store.durations import COLD, WARM, Durations

if TYPE_CHECKING:
    from inception_bench.measure.selection import Selection
    from inception_bench.plugin.against import Against
    from inception_bench.plugin.run import BenchRun
    from inception_bench.plugin.watch import Watch
    from inception_bench.report.progress import Block, Expected, Progress

# How much of each core building side by side gains: two trainings at once, with a thread each, took 0.68 of the time
# that they took one after the other with two threads each.
_GAINED = 0.73

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
    "threads": ("N", "threads inside one operation of what is timed; default: all usable cores"),
    "data": ("NAME", "what to train and to measure accuracy on: digits, fashion-mnist, imagefolder:PATH, hf:NAME"),
    "weights": (
        "FILE",
        "a checkpoint (or timm:NAME, torchvision:NAME) for the one network of --inception-models",
    ),
    "require": ("BACKENDS", "runtimes whose absence is a failure, not a skip"),
    "python": ("BACKEND=PYTHON", "run a runtime's workers with another interpreter"),
    "resume": (
        "",
        "take over the cells, pairs and proxies that the results folder has of the same code, versions and machine",
    ),
}
NO_CASES = ("results", "baseline")  # options that do not decide what is measured
NOT_AT_ONCE = "-n runs cells at the same time, which spoils their times; run the suites without it"


def named(field: str) -> str:
    """What a field of a request is called as an option of pytest."""
    return f"--inception-{field.replace('_', '-')}"


def option(config: pytest.Config, name: str) -> str | None:
    """An option of the table as it was written; None where it was not given."""
    given: str | None = config.getoption("inception_" + name.replace("-", "_"))
    return given


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
                name.replace("-", "_"): option(self.config, name) for name in OPTIONS if name not in NO_CASES
            }
            asked |= {"resume": bool(asked["resume"]), "plan_only": bool(self.config.option.collectonly)}
            try:
                self.selection = select(Request(**asked))
            except UsageError as error:
                raise pytest.UsageError(told(error, named)) from None
        return self.selection

    def read_baseline(self) -> None:
        """Read the stored run that was asked for, before anything is measured."""
        folder = option(self.config, "baseline")
        if folder is None:
            return
        from inception_bench.plugin.against import Against

        try:
            self.against = Against.open(Path(folder), self.folder, timed=self.timed)
        except UsageError as error:
            raise pytest.UsageError(told(error, named)) from None

    def open(self, expected: Sequence[Expected], items: Sequence[Mapping[str, Any]]) -> None:
        """Begin the run for the collected items: first guesses of each, and what it runs over by its fixtures."""
        from inception_bench.plugin.run import BenchRun
        from inception_bench.plugin.timing import TimingOptions
        from inception_bench.plugin.wanted import wanted
        from inception_bench.plugin.watch import Watch

        try:
            selection, ini = self.select(), self.config.getini
            timing = TimingOptions.read(ini("inception_limits"), ini("inception_l2"), selection.profile.limits)
            self.run = BenchRun.open(self.folder, selection, timing, timed=self.timed)
        except UsageError as error:
            raise pytest.UsageError(told(error, named)) from None
        if self.against is not None:
            self.run.others = self.against.stored.records
        self.run.wanted = wanted(items, self.run, timed=self.timed)
        self.watch = Watch.over(self.config, *self._progress(expected, self.run), self.run.selection.profile.rounds)

    def with_earlier(self, expected: Sequence[Expected]) -> list[Expected]:
        """The items with what earlier runs on this machine teach of them; no part of the work counts twice."""
        from inception_bench.report.progress import Seen, each_once

        seen = {name: Seen(took.get(COLD), took.get(WARM)) for name, took in self.durations().read().items()}
        return [replace(item, seen=seen.get(item.key)) for item in each_once(expected)]

    def durations(self) -> Durations:
        """Where the durations of this machine's runs in this profile are kept."""
        return Durations(default_root(), place_of(self.select()))

    def keep_durations(self) -> None:
        """Keep what the items of this session took; nothing where it was not timed."""
        if self.watch is not None and self.timed:
            self.durations().keep(self.watch.progress.took())

    def _progress(self, expected: Sequence[Expected], run: BenchRun) -> tuple[Progress, Block]:
        """The progress of a run, which then knows how long its item under way has taken; and what is built ahead."""
        from inception_bench.report.progress import Progress, Signs, built_ahead

        built = run.workshop.cache.built
        signs = Signs(time.monotonic, lambda: len(built), lambda: run.reading)
        items, seconds = self.with_earlier(expected), 0.0
        if run.selection.device == "cpu":
            items, seconds = built_ahead(items)
        progress = Progress(items, signs)
        ahead = progress.extra("build", seconds / (_GAINED * usable_cores()), 1)
        run.item_s = progress.item_s
        return progress, ahead

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
        return Path(option(self.config, "results") or "results/local")

    @property
    def timed(self) -> bool:
        """Whether anything is timed, and so kept: not where pytest-benchmark was given ``--benchmark-disable``."""
        return not self.config.getoption("benchmark_disable", False)


def place_of(selection: Selection) -> str:
    """What must be equal for an item to take about as long as in an earlier run: machine, threads and profile."""
    threads = max((case.runtime.threads for case in selection.cases), default=0)
    machine = f"{processor()['name']}, {usable_cores()} cores"
    return f"{machine}, {threads} threads, {selection.device}, {selection.profile.name}"


STATE = pytest.StashKey[State]()
