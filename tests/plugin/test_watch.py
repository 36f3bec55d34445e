"""What a person sees of a run: on a terminal a line that lives, in a log one line an item."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inception_bench.measure.guesses import Guess
from inception_bench.plugin.watch import Watch
from inception_bench.report.progress import Expected, Progress, Signs


class Reporter:
    """The terminal as pytest's reporter has it: what was written, and how full the last line is."""

    def __init__(self) -> None:
        self.text = ""

    @property
    def _tw(self) -> SimpleNamespace:
        return SimpleNamespace(width_of_current_line=len(self.text.rpartition("\n")[2]))

    def write(self, text: str, *, flush: bool, **markup: bool) -> None:
        assert flush
        self.text += text


class Scene:
    """A watch over two cells, guessed to take 60 s and 30 s, with a clock that a test moves."""

    def __init__(self, *, live: bool) -> None:
        self.now, self.reporter = 0.0, Reporter()
        plugins = {"terminalreporter": self.reporter}
        config = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=plugins.get))
        cells = [Expected("cell", name, {name: Guess(seconds)}) for name, seconds in (("a", 60.0), ("b", 30.0))]
        self.progress = Progress(cells, Signs(lambda: self.now))
        self.ahead = self.progress.extra("build", 0.0, 1)
        self.watch = Watch(config, self.progress, self.ahead, 64, live)

    def shown(self) -> list[str]:
        """The lines as a terminal shows them: what is drawn over is gone."""
        return [line.rpartition("\r\x1b[2K")[2] for line in self.reporter.text.split("\n")]


def test_in_a_log_an_item_has_one_line_when_it_ends():
    scene = Scene(live=False)
    scene.reporter.text = "suites/test_latency.py "
    scene.watch.begin("a")
    for stage in ("build", "load", "time"):
        scene.watch.stage(stage)
    scene.watch.rounds(30)
    assert scene.reporter.text == "suites/test_latency.py "
    scene.now = 60.0
    scene.watch.finish("ok", "12 ms")
    scene.watch.begin("b")
    scene.watch.finish("failed", "in stage 'load': out of memory\nmore of it")
    assert scene.reporter.text.splitlines() == [
        "suites/test_latency.py ",
        "[1/2] a : ok  12 ms  about 0:30 left",
        "[2/2] b : failed  in stage 'load': out of memory",
    ]
    assert scene.reporter.text.endswith("\n")


def test_on_a_terminal_the_line_says_what_runs_now():
    scene = Scene(live=True)
    scene.watch.begin("a")
    assert scene.shown()[-1] == "[1/2] a  about 1:30 left"
    scene.now = 10.0
    scene.watch.stage("time")
    assert scene.shown()[-1] == "[1/2] a  time  about 1:20 left"
    scene.watch._drawn = float("-inf")
    scene.watch.rounds(30)
    assert scene.shown()[-1] == "[1/2] a  time 30/64  about 1:20 left"
    scene.now = 60.0
    scene.watch.finish("ok", "12 ms")
    assert scene.shown() == ["[1/2] a : ok  12 ms  about 0:30 left"]
    scene.watch.begin("b")
    assert scene.shown() == ["[1/2] a : ok  12 ms  about 0:30 left", "[2/2] b  about 0:30 left"]


@pytest.mark.parametrize("live", [False, True])
def test_an_item_that_is_cut_off_keeps_its_line(live: bool):
    scene = Scene(live=live)
    scene.watch.begin("a")
    scene.watch.stage("load")
    scene.watch.cut_off(KeyboardInterrupt())
    assert scene.shown()[0] == "[1/2] a : KeyboardInterrupt  in stage 'load'"


@pytest.mark.parametrize("live", [False, True])
def test_work_that_is_no_item_is_told_too(live: bool):
    scene = Scene(live=live)
    scene.ahead.expected_s = 20.0
    scene.watch.begin("a")
    with scene.watch.building() as told:
        for number in range(4):
            scene.now += 5.0
            scene.watch._drawn = float("-inf")
            told(number + 1, 4)
        assert not live or scene.shown()[-1] == "[1/2] a  build 4/4 networks  about 1:30 left"
    assert live or scene.shown()[0] == "build : done  4/4 networks in 0:20  about 1:30 left"
    with scene.watch.building():  # by a later item, for which nothing is left
        scene.now += 5.0
    assert scene.progress.item_s() == 5.0
    assert live or len(scene.shown()) == 2


def test_where_all_is_there_nothing_is_told_of_building():
    scene = Scene(live=False)
    scene.ahead.expected_s = 20.0
    scene.watch.begin("a")
    with scene.watch.building():
        pass
    assert scene.reporter.text == ""
    assert scene.progress.seconds_left() == 90.0


@pytest.mark.parametrize("outcome", ["unavailable", "failed", "timeout"])
def test_a_cell_that_was_cut_short_teaches_nothing(outcome: str):
    scene = Scene(live=False)
    scene.watch.begin("a")
    scene.now = 1.0
    scene.watch.finish(outcome, "why")
    assert scene.progress.seconds_left() == 30.0


def test_what_was_taken_over_teaches_nothing():
    scene = Scene(live=False)
    scene.watch.begin("a")
    scene.watch.finish("ok", "12 ms", taken_over=True)
    assert scene.progress.seconds_left() == 30.0
    assert scene.progress.took() == {}
