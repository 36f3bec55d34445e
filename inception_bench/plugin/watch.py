"""Shows a run's progress in pytest's terminal, whether or not pytest captures output."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from inception_bench.report.console import COLOURS
from inception_bench.report.progress import Progress

_REDRAW_S = 0.5
_CLEAR = "\r\x1b[2K"


@dataclass
class Watch:
    """Shows one line for the item under way: first what it is doing, in the end its result.

    On a terminal the line is drawn over and over; in a log, where that is impossible, each stage is appended to it.
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
        # The line break is part of the text. With pytest's own method for one, pytest would print the name of the test
        # file again.
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
        """Show how many rounds are done, at most twice a second. Called between rounds, while no clock is running."""
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
