"""Shows a run's progress in pytest's terminal, whether or not pytest captures output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from inception_bench.report.console import COLOURS
from inception_bench.report.progress import Block, Progress
from inception_bench.report.text import duration

_REDRAW_S = 0.5
_CLEAR = "\r\x1b[2K"


@dataclass
class Watch:
    """Shows one line for each item: on a terminal first what it is doing, in the end its result.

    On a terminal the line is drawn over and over. In a log, where that is impossible, it is written once, when the
    item ends.
    """

    config: pytest.Config
    progress: Progress
    ahead: Block
    rounds_wanted: int
    live: bool
    _name: str = field(default="", init=False)
    _stage: str = field(default="", init=False)
    _drawn: float = field(default=0.0, init=False)

    @classmethod
    def over(cls, config: pytest.Config, progress: Progress, ahead: Block, rounds: int) -> Watch:
        """A watch over the collected items, of whose cells each takes ``rounds`` rounds.

        ``ahead`` is the work of building what they need before the first of them.
        """
        reporter = config.pluginmanager.getplugin("terminalreporter")
        return cls(config, progress, ahead, rounds, bool(reporter is not None and reporter.isatty))

    def begin(self, name: str) -> None:
        """An item starts."""
        self.progress.begin(name)
        self._name, self._stage = name, ""
        if self.live:
            self._new_line()
            self._redraw("")

    def stage(self, stage: str) -> None:
        """The item enters a stage, or goes on in it."""
        if stage == self._stage:
            return
        self._stage = stage
        if self.live:
            self._redraw(stage)

    def rounds(self, done: int) -> None:
        """Show how many rounds are done, at most twice a second. Called between rounds, while no clock is running."""
        if self.live and time.monotonic() - self._drawn > _REDRAW_S:
            self._redraw(f"{self._stage} {done}/{self.rounds_wanted}")

    def finish(self, outcome: str, line: str, *, taken_over: bool = False) -> None:
        """The item is done: its line becomes its result. One that was ``taken_over`` says nothing of the time left."""
        head = self.progress.head()
        colour = COLOURS.get(outcome, "green")
        # An outcome of another colour cut the item short.
        self.progress.finish(taught=not taken_over and colour == "green")
        more = self.progress.done < len(self.progress.expected)
        left = f"  {self.progress.tail()}" if more else ""
        result = f"  {line.splitlines()[0] if line else ''}".rstrip()
        self._close(f"{head} {self._name}", outcome, result + left, colour)

    def cut_off(self, error: BaseException) -> None:
        """The item is cut off by the user or by a fault of the harness; its line says by what, and where."""
        head = self.progress.head()
        self.progress.finish(taught=False)
        where = f"  in stage {self._stage!r}" if self._stage else ""
        self._close(f"{head} {self._name}", type(error).__name__, where, "red")

    @contextmanager
    def building(self) -> Iterator[Callable[[int, int], None]]:
        """What items need is built within, which is no item's own time.

        Whoever builds calls the function that is given, with the number of networks that are done and of all. In a log
        there is a line at the end, unless nothing had to be built.
        """
        block, is_needed = self.ahead, False

        def told(done: int, total: int) -> None:
            nonlocal is_needed
            block.reach(done, total)
            # The first time at once: the next may be a minute away.
            if self.live and (not is_needed or time.monotonic() - self._drawn > _REDRAW_S):
                self._redraw(f"{block.name} {block.done}/{block.total} networks")
            is_needed = True

        if not block.is_over:
            block.begin()
        try:
            yield told
        finally:
            block.finish()
            self.progress.built_elsewhere()
            if is_needed and not self.live:
                done = f"{block.done}/{block.total} networks in {duration(block.took_s())}"
                self._close(block.name, "done", f"  {done}  {self.progress.tail()}", "green")

    def _redraw(self, doing: str) -> None:
        self._drawn = time.monotonic()
        words = [f"{self.progress.head()} {self._name}", doing, self.progress.tail()]
        self._write(_CLEAR + "  ".join(filter(None, words)))

    def _close(self, head: str, word: str, rest: str, colour: str) -> None:
        """A line that stays, written whole in a log."""
        if self.live:
            self._write(_CLEAR)
        else:
            self._new_line()
        self._write(f"{head} : ")
        self._write(word, colour=colour)
        self._write(rest if self.live else f"{rest}\n")

    def _new_line(self) -> None:
        """Begin a line, unless one has just begun.

        The line break is part of the text. With pytest's own method for one, pytest would print the name of the test
        file again.
        """
        reporter: Any = self.config.pluginmanager.getplugin("terminalreporter")
        # pytest has no public way to ask how full the line is; its own plug-ins ask its writer.
        if reporter is not None and reporter._tw.width_of_current_line:
            self._write("\n")

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
