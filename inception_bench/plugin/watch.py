"""Shows a run's progress in pytest's terminal, whether or not pytest captures output."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from inception_bench.measure.measurement import Measurement
from inception_bench.records.record import Record
from inception_bench.report.board import read_row
from inception_bench.report.console import COLOURS
from inception_bench.report.progress import Progress
from inception_bench.report.text import milliseconds, ratio

_REDRAW_S = 0.5
_CLEAR = "\r\x1b[2K"


@dataclass
class Watch:
    """One line for the item under way, which becomes its result.

    On a terminal the line is redrawn; in a log each stage is appended to it once.
    """

    config: pytest.Config
    progress: Progress
    rounds_wanted: int
    live: bool
    _name: str = field(default="", init=False)
    _stage: str = field(default="", init=False)
    _drawn: float = field(default=0.0, init=False)

    @classmethod
    def over(cls, config: pytest.Config, expected_s: list[float], rounds: int) -> Watch:
        """A watch over the collected items, each with a guess in seconds."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        live = bool(reporter is not None and reporter.isatty)
        return cls(config, Progress(expected_s, time.monotonic), rounds, live)

    def begin(self, name: str) -> None:
        """An item starts."""
        self.progress.begin()
        self._name, self._stage = name, ""
        # A line break of our own: pytest then still knows which file it is in, and does not name it again.
        self._write(f"\n{self.progress.head()} {name}")

    def stage(self, stage: str) -> None:
        """The item enters a stage, or goes on in it."""
        if stage == self._stage:
            return
        self._stage = stage
        if self.live:
            self._redraw(stage)
        else:
            self._write(f" {stage}")

    def rounds(self, done: int) -> None:
        """So many rounds are done; shown at most twice a second, and in between the rounds' clocks."""
        if self.live and time.monotonic() - self._drawn > _REDRAW_S:
            self._redraw(f"{self._stage} {done}/{self.rounds_wanted}")

    def finish(self, outcome: str, line: str) -> None:
        """The item is done: its line becomes its result."""
        head = self.progress.head()
        self.progress.finish()
        more = self.progress.done < len(self.progress.expected_s)
        left = f"  {self.progress.tail()}" if more else ""
        start = f"{_CLEAR}{head} {self._name}" if self.live else " :"
        self._write(f"{start} ")
        self._write(outcome, colour=COLOURS.get(outcome, "green"))
        self._write(f"  {line.splitlines()[0] if line else ''}".rstrip() + left)

    def finish_cell(self, record: Record[Measurement]) -> None:
        """A cell is done: its time and speed-up, or why it has none."""
        row = read_row(record)
        timed = f"{milliseconds(row.latency_s_p50)}  {ratio(row.speedup)}x eager"
        self.finish(row.outcome, timed if row.outcome == "ok" else row.reason)

    def _redraw(self, doing: str) -> None:
        self._drawn = time.monotonic()
        self._write(f"{_CLEAR}{self.progress.head()} {self._name}  {doing}  {self.progress.tail()}")

    def _write(self, text: str, *, colour: str | None = None) -> None:
        reporter: Any = self.config.pluginmanager.getplugin("terminalreporter")
        capture: Any = self.config.pluginmanager.getplugin("capturemanager")
        if reporter is None:
            return
        markup = {colour: True} if colour else {}
        if capture is None:
            reporter.write(text, flush=True, **markup)
        else:
            with capture.global_and_fixture_disabled():
                reporter.write(text, flush=True, **markup)
