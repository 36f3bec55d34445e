"""The time left: by hand for single rules, and over stored runs, of which each item's real time is known.

``tests/report/runs`` has the runs; each says in ``made`` how its times came to be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from inception_bench.measure import guesses
from inception_bench.measure.ceilings import Ceilings
from inception_bench.measure.guesses import Guess, Pace
from inception_bench.measure.selection import Request, select
from inception_bench.plugin.parameters import PARAMETERS
from inception_bench.report.progress import Expected, Progress, Seen, Signs, built_ahead, each_once, expected_seconds

RUNS = Path(__file__).parent / "runs"
# The fixtures in the order of their suites.
ORDER = ("claim", "network", "cell", "pair", "training_step", "training", "trained_cell")
NOT_MEASURED = ("unavailable", "failed", "mismatch", "timeout", "mislabelled")


class Watched:
    """The progress of items, on a clock that a test moves."""

    def __init__(self, items: list[Expected]) -> None:
        self.now, self.built, self.reading = 0.0, 0, None
        self.progress = Progress(items, Signs(lambda: self.now, lambda: self.built, lambda: self.reading))

    def left(self) -> float:
        return self.progress.seconds_left()

    def item(self, name: str, seconds: float, *, taught: bool = True) -> None:
        self.progress.begin(name)
        self.now += seconds
        self.progress.finish(taught=taught)


def cells(number: int, seconds: float = 10.0, kind: str = "cell") -> list[Expected]:
    names = [f"{kind} {index}" for index in range(number)]
    return [Expected(kind, name, {name: Guess(seconds)}) for name in names]


def reading(fp32_macs_s: float, spin_s: float) -> Ceilings:
    return Ceilings(2, fp32_macs_s, "a convolution", 20e9, spin_s, 0.1)


def test_one_item_is_a_clock_that_runs_down():
    run = Watched(cells(1))
    assert run.left() == 10.0
    run.progress.begin("cell 0")
    assert (run.progress.head(), run.progress.tail()) == ("[1/1]", "about 0:10 left")
    run.now = 4.0
    assert run.left() == 6.0
    run.now = 20.0  # past its time: a tenth of what it took
    assert run.left() == 2.0
    run.progress.finish()
    assert run.left() == 0.0


def test_a_kind_is_drawn_towards_all_while_few_of_it_are_done():
    """Of 40 s guessed, 10 s took 20.

    As a whole that is a factor of two over 10 s, beside the belief in the guesses, which weighs an eighth of 40 s: so
    2 ** (10 / 15). For the kind it is the same factor over 10 s, beside that of the whole for two items of 10 s.
    """
    run = Watched(cells(4))
    run.item("cell 0", 20.0)
    assert run.left() == pytest.approx(30 * 2 ** ((10 + 20 * 10 / 15) / 30))


def test_a_kind_that_nothing_is_known_of_follows_the_whole():
    """A fifth of 100 s was guessed for cells, all of them took half: 0.5 ** (20 / 32.5) for what comes then."""
    run = Watched(cells(2) + cells(1, 80.0, "training"))
    run.item("cell 0", 5.0)
    run.item("cell 1", 5.0)
    assert run.left() == pytest.approx(80 * 0.5 ** (20 / 32.5))


def test_all_skipped_leaves_guesses_and_then_nothing():
    run = Watched(cells(4))
    left = []
    for index in range(4):
        run.item(f"cell {index}", 0.0, taught=False)
        left.append(run.left())
    assert left == [30.0, 20.0, 10.0, 0.0]


def test_what_is_taken_over_does_not_teach_the_scale():
    run = Watched(cells(8))
    for index in range(5):
        run.item(f"cell {index}", 0.0, taught=False)
    assert run.left() == 30.0
    run.item("cell 5", 10.0)
    assert run.left() == pytest.approx(20.0)


def test_an_item_that_takes_ten_times_as_long_does_not_carry_the_others_away():
    """It teaches a factor of eight at most, over 10 s of 70 (an eighth is 8.75 s)."""
    run = Watched(cells(7))
    run.item("cell 0", 100.0)
    assert run.left() == pytest.approx(60 * 8 ** ((10 + 20 * 10 / 18.75) / 30))
    before = run.left()
    for index in range(1, 7):
        run.item(f"cell {index}", 10.0)
        assert before / 3 < run.left() + 10.0 < before * 3
        before = max(run.left(), 1.0)
    assert run.left() == 0.0


def test_an_item_that_failed_at_once_teaches_an_eighth_at_most():
    run = Watched(cells(7))
    run.item("cell 0", 0.0)
    assert run.left() == pytest.approx(60 * 8 ** (-(10 + 20 * 10 / 18.75) / 30))


def test_items_that_pytest_left_out_are_done():
    run = Watched(cells(5))
    run.item("cell 0", 10.0)
    run.progress.begin("cell 3")
    assert (run.progress.head(), run.left()) == ("[4/5]", pytest.approx(20.0))


def test_an_earlier_run_is_believed_and_not_scaled_by_others_guesses():
    """``a`` took 50 s where nothing was built; of ``b`` only the building run is known, so its guess has none."""
    known = Expected("cell", "a", {"a": Guess(10.0)}, Seen(cold_s=70.0, warm_s=50.0))
    built = Expected("cell", "b", {"b": Guess(10.0, 5.0, 20.0)}, Seen(cold_s=33.0))
    fresh = Expected("cell", "c", {"c": Guess(10.0, 5.0, 20.0)})
    assert [item.seconds(Pace()) for item in (known, built, fresh)] == [50.0, 15.0, 35.0]
    assert (built.build_s, fresh.build_s) == (0.0, 20.0)
    run = Watched([*cells(1000), known])
    for index in range(1000):
        run.item(f"cell {index}", 1.0)
    # What 10,000 s of guesses taught (a tenth, by halves of thousands) reaches it through the whole alone.
    taught = (10_000 * math.log(1 / 8)) / (10_000 + 10_050 / 8)
    assert run.left() == pytest.approx(50.0 * math.exp(taught))


def test_what_items_took_is_kept_by_whether_they_built():
    run = Watched(cells(3))
    run.progress.begin("cell 0")
    run.now, run.built = 12.0, 1
    run.progress.finish()
    run.item("cell 1", 7.0)
    run.item("cell 2", 0.0, taught=False)
    assert run.progress.took() == {"cell cell 0": {"cold": 12.0}, "cell cell 1": {"warm": 7.0}}


def test_each_part_of_the_work_counts_once():
    """Two claims of one pair, and the pair itself: whoever comes first does it."""
    pair = {"pair a": Guess(10.0), "reference b": Guess(0.0, 0.0, 5.0)}
    items = [Expected("claim", name, dict(pair)) for name in ("x", "y")] + [Expected("pair", "a", {"z": Guess(1.0)})]
    assert expected_seconds(each_once(items)) == pytest.approx(15.0 + 0.001 + 1.0)


def test_what_is_built_ahead_is_no_more_in_the_items():
    guess = Guess(10.0, 5.0, 20.0)
    items = [Expected("cell", "a", {"a": guess}), Expected("cell", "b", {"b": guess}, Seen(warm_s=7.0))]
    later, seconds = built_ahead(items)
    assert ([item.seconds(Pace()) for item in later], seconds) == ([15.0, 7.0], 20.0)


def test_the_machines_pace_changes_what_computes():
    """Half of the reference's MACs a second, one core four times as fast: that starts processes."""
    run = Watched([Expected("cell", "a", {"a": Guess(10.0, 5.0, 20.0)})])
    assert run.left() == 35.0
    run.reading = reading(57.5e9, 3.5e-3 / 4)
    assert run.left() == pytest.approx(10.0 / 4 + 2 * (5.0 + 20.0))
    run.reading = reading(115e9, 3.5e-3)  # what it gives later, the items' own times tell
    assert run.left() == pytest.approx(10.0 / 4 + 2 * (5.0 + 20.0))


def test_work_that_is_no_item_counts_and_is_in_no_items_time():
    run = Watched(cells(2))
    block = run.progress.extra("build", 40.0, 4)
    assert run.left() == 60.0
    run.progress.begin("cell 0")
    run.now = 1.0
    block.begin()
    run.now = 11.0
    block.reach(1, 4)  # as guessed, a quarter in 10 s
    assert (run.left(), run.progress.item_s()) == (pytest.approx(9.0 + 10.0 + 30.0), 1.0)
    run.now = 15.0
    assert run.left() == pytest.approx(9.0 + 10.0 + 26.0)
    run.now = 41.0
    block.finish()
    assert (run.left(), block.took_s(), run.progress.item_s()) == (19.0, 40.0, 1.0)
    run.now = 50.0
    run.progress.finish()
    assert run.progress.took() == {"cell cell 0": {"warm": 10.0}}
    assert run.progress.item_s() is None


def test_a_block_that_is_slower_than_guessed_takes_longer():
    """A quarter in 20 s and not 10: (20 + 12) / (10 + 12) times the guess, as three tenths of it are believed."""
    run = Watched([])
    block = run.progress.extra("build", 40.0, 4)
    block.begin()
    run.now = 20.0
    block.reach(1, 4)
    assert run.left() == pytest.approx(30.0 * 32 / 22)


@dataclass(frozen=True)
class Stored:
    """A run: what it asked for, the seconds of each item, and what the machine gave at its first cell.

    A cell was ``process_pairs`` pairs of processes. ``after`` is the run that had built everything before.
    """

    made: str
    request: dict[str, str]
    process_pairs: int
    fp32_macs_s: float
    spin_s: float
    items: list[tuple[str, str, float]]
    after: str = ""

    @classmethod
    def read(cls, name: str) -> Stored:
        return cls(**json.loads((RUNS / f"{name}.json").read_text()))

    def expected(self) -> list[Expected]:
        """What is expected of its items before it begins: by guesses, and by the run before it."""
        selection = select(Request(**self.request, plan_only=True))
        marks = [mark for each in ORDER for param in PARAMETERS[each](selection) for mark in param.marks]
        known = {mark.args[0].name: mark.args[0] for mark in marks if mark.name == "inception_item"}
        before = Stored.read(self.after).items if self.after else []
        seen = {name: Seen(cold_s=seconds) for name, _, seconds in before}
        return [replace(item, seen=seen.get(item.name)) for item in each_once(known[name] for name, _, _ in self.items)]

    def replay(self, slower: float, *, is_read: bool) -> Iterator[tuple[float, float]]:
        """Seconds since the beginning and seconds left as estimated: within an item that takes long, and at its end.

        ``slower`` stretches all times. What the machine gives is known from the first cell on where it ``is_read``.
        """
        watched = Watched(self.expected())
        for (name, outcome, seconds), item in zip(self.items, watched.progress.expected, strict=True):
            if item.kind == "cell" and is_read:
                watched.reading = reading(self.fp32_macs_s / slower, self.spin_s * slower)
            began = watched.now
            watched.progress.begin(name)
            for step in range(4 if seconds > 1 else 0):
                watched.now = began + seconds * slower * step / 4
                yield watched.now, watched.left()
            watched.now = began + seconds * slower
            watched.progress.finish(taught=outcome not in NOT_MEASURED)
            yield watched.now, watched.left()


@pytest.fixture(params=sorted(path.stem for path in RUNS.glob("*.json")))
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stored:
    stored = Stored.read(request.param)
    monkeypatch.setattr(guesses, "LEAST_PAIRS", stored.process_pairs)
    return stored


def test_after_a_tenth_the_whole_run_is_known_within_a_quarter(run: Stored):
    """From a tenth of the time to the end: what has passed, and what is said to be left, is what the run takes.

    Of runs that are short, or that others disturb, no more can be said: one item is a twentieth of what is left.
    """
    total = sum(seconds for *_, seconds in run.items)
    said = [now + left for now, left in run.replay(1.0, is_read=True) if now >= total / 10]
    assert 0.75 * total <= min(said)
    assert max(said) <= 1.25 * total


@pytest.mark.parametrize(("slower", "is_read"), [(1.0, True), (2.0, True), (0.5, True), (2.0, False)])
@pytest.mark.parametrize("run", ["default_cold"], indirect=True)
def test_after_a_tenth_the_time_left_is_within_a_quarter(run: Stored, slower: float, is_read: bool):
    """Of what it turns out to be, from a tenth of the time to the end; within two hundredths of the whole near it.

    The run is also stretched by arithmetic, to a machine of half and of twice the pace, which says so in its reading or
    has none.
    """
    total = slower * sum(seconds for *_, seconds in run.items)
    seen = [(now, left) for now, left in run.replay(slower, is_read=is_read) if now >= total / 10]
    wrong = [
        f"after {now:.0f} s of {total:.0f}: {left:.0f} left, and in truth {total - now:.0f}"
        for now, left in seen
        if abs(left - (total - now)) > max((total - now) / 4, total / 50)
    ]
    assert not wrong, "\n".join(wrong)
    assert seen[-1] == (pytest.approx(total), 0.0)


def test_the_estimate_never_jumps_threefold(run: Stored):
    totals = [now + left for now, left in run.replay(1.0, is_read=True)]
    assert min(totals) > 0
    assert all(1 / 3 < later / sooner < 3 for sooner, later in pairwise(totals))
