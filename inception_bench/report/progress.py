"""How long a run will take: from first guesses, from earlier runs, and from what its own items took so far.

The time left is a sum over what is still to be done. Each item counts with what it took in an earlier run, or else
with a first guess, times the scale of its kind; the scale is learned from the finished items of that kind, and drawn
towards what the run as a whole teaches while these are few. All means are of logarithms: half and double cancel, and
one item that hangs does not carry the others away.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_bench.measure.ceilings import Ceilings
from inception_bench.measure.guesses import Guess, Pace
from inception_bench.report.text import duration

# What all items together teach counts for a kind as much as this many finished items of its own.
_ITEMS_OF_ALL = 2.0
# That guesses are right counts for the run as a whole as much as this share of its guessed time.
_SHARE_OF_GUESSES = 0.125
# No single item teaches more than this factor: it may have failed at once, or the machine may have slept.
_MOST = 8.0
# An item past its time is taken to need this share more of what it took: it is not over, and nobody knows when.
_OVERDUE = 0.1
# That the guess for a block of work is right counts as much as this share of the block.
_SHARE_OF_BLOCK = 0.3
_LEAST_S = 1e-3


@dataclass(frozen=True)
class Seen:
    """What an item took in an earlier run, in seconds: where it had to build something, and where nothing."""

    cold_s: float | None = None
    warm_s: float | None = None


@dataclass(frozen=True)
class Expected:
    """What an item is likely to take, before it runs.

    Items of one ``kind`` are likely to be mistaken alike; ``name`` is what the terminal calls the item. ``parts`` are
    the first guesses of what it does, each with a name, as a run does each part once, whichever item comes first.
    ``seen`` is what an earlier run teaches.
    """

    kind: str
    name: str
    parts: Mapping[str, Guess]
    seen: Seen | None = None

    @property
    def key(self) -> str:
        """A name for the item that is the same in every run."""
        return f"{self.kind} {self.name}"

    @property
    def scaled_as(self) -> str:
        """What shares a scale: guesses of a kind are mistaken together, and what was seen before is not mistaken."""
        return self.kind if self._warm_s is None else f"{self.kind}, seen before"

    @property
    def build_s(self) -> float:
        """Seconds of building that the guess includes; 0 where an earlier run has built all."""
        return 0.0 if self.seen is not None else self._guess.build_s

    def seconds(self, pace: Pace) -> float:
        """The item's time on a machine of ``pace``; never 0."""
        known = self._warm_s
        return max(self._guess.seconds(pace, built=self.seen is not None) if known is None else known, _LEAST_S)

    @property
    def _guess(self) -> Guess:
        return sum(self.parts.values(), Guess())

    @property
    def _warm_s(self) -> float | None:
        return None if self.seen is None else self.seen.warm_s


@dataclass(frozen=True)
class Signs:
    """What a run's progress is read from.

    ``clock`` gives seconds, ``builds`` how many things the run has built, ``reading`` what the machine gives (None
    before that was measured).
    """

    clock: Callable[[], float]
    builds: Callable[[], int] = lambda: 0
    reading: Callable[[], Ceilings | None] = lambda: None


@dataclass(frozen=True)
class Finished:
    """An item that is done, by its place in the order.

    ``taught`` is false where it measured nothing, and so says nothing of the others.
    """

    index: int
    took_s: float
    built: bool
    taught: bool


@dataclass
class Block:
    """Work that is no item: ``total`` things, guessed to take ``expected_s`` together (see ``Progress.extra``)."""

    name: str
    expected_s: float
    total: int
    clock: Callable[[], float]
    done: int = field(default=0, init=False)
    _began: float | None = field(default=None, init=False)
    _last: float = field(default=0.0, init=False)
    _ended: float | None = field(default=None, init=False)

    def begin(self) -> None:
        """The work starts now."""
        self._began = self._last = self.clock()

    def reach(self, done: int, total: int) -> None:
        """So many of the things are done now, of so many."""
        if done > self.done:
            self._last = self.clock()
        self.done, self.total = done, total

    def finish(self) -> None:
        """The work is over, whatever is done of it; a second time says nothing new."""
        if self._ended is None:
            self._ended = self.clock()

    @property
    def is_over(self) -> bool:
        return self._ended is not None

    def took_s(self) -> float:
        """Seconds so far; 0 before it began."""
        if self._began is None:
            return 0.0
        return (self.clock() if self._ended is None else self._ended) - self._began

    def seconds_left(self) -> float:
        """An estimate: the pace of the things done so far, drawn towards the guess while they are few."""
        if self._ended is not None:
            return 0.0
        if self._began is None:
            return self.expected_s
        share = self.done / self.total if self.total else 0.0
        spent, prior = self._last - self._began, _SHARE_OF_BLOCK * self.expected_s
        scale = (spent + prior) / (share * self.expected_s + prior) if self.expected_s else 1.0
        return _still(self.expected_s * scale * (1 - share), self.clock() - self._last)


@dataclass
class Progress:
    """A run's items in their order: which is under way, and how long all of them will still take."""

    expected: Sequence[Expected]
    signs: Signs
    finished: list[Finished] = field(default_factory=list, init=False)
    done: int = field(default=0, init=False)
    _blocks: list[Block] = field(default_factory=list, init=False)
    _began: float | None = field(default=None, init=False)
    _blocks_before_s: float = field(default=0.0, init=False)
    _builds_before: int = field(default=0, init=False)
    _pace: Pace | None = field(default=None, init=False)
    _seconds: list[float] = field(default_factory=list, init=False)  # of each item on this machine

    def begin(self, name: str) -> None:
        """The item ``name`` starts now. Items before it in the order were left out by pytest, and are done."""
        names = [item.name for item in self.expected[self.done :]]
        self.done += names.index(name) if name in names else 0
        self._began = self.signs.clock()
        self._blocks_before_s, self._builds_before = self._blocks_s(), self.signs.builds()

    def finish(self, *, taught: bool = True) -> None:
        """The item that began is done; ``taught`` is false where it measured nothing now."""
        if self._began is not None and self.done < len(self.expected):
            built = self.signs.builds() > self._builds_before
            self.finished.append(Finished(self.done, self._elapsed_s(), built, taught))
        self._began = None
        self.done += 1

    def built_elsewhere(self) -> None:
        """What was built since the item under way began was not built by it."""
        self._builds_before = self.signs.builds()

    def extra(self, name: str, expected_s: float, total: int) -> Block:
        """Work that is no item and is still to come: ``total`` things in about ``expected_s`` seconds together.

        Its caller says when it begins, what it reaches and when it is finished. Until then the time left counts it; no
        item's time does, also where it lies within an item.
        """
        self._blocks.append(Block(name, expected_s, total, self.signs.clock))
        return self._blocks[-1]

    def item_s(self) -> float | None:
        """Seconds since the item under way began, without blocks of other work; None between items."""
        return None if self._began is None else self._elapsed_s()

    def took(self) -> dict[str, dict[str, float]]:
        """What the finished items took, in seconds, by their keys; where they built something apart (``cold``)."""
        found: dict[str, dict[str, float]] = {}
        for each in self.finished:
            if each.taught:
                found.setdefault(self.expected[each.index].key, {})["cold" if each.built else "warm"] = each.took_s
        return found

    def seconds_left(self) -> float:
        """An estimate for the item under way, all after it and all blocks of other work."""
        self._read_pace()
        scale = self._scales()
        rest = range(self.done, len(self.expected))
        left = [self._seconds[index] * scale[self.expected[index].scaled_as] for index in rest]
        if left and self._began is not None:
            left[0] = _still(left[0], self._elapsed_s())
        return sum(left) + sum(block.seconds_left() for block in self._blocks)

    def head(self) -> str:
        """``[3/8]``: the item under way, of how many."""
        return f"[{self.done + 1}/{len(self.expected)}]"

    def tail(self) -> str:
        """``about 1:20 left``."""
        return f"about {duration(self.seconds_left())} left"

    def _elapsed_s(self) -> float:
        began = self.signs.clock() if self._began is None else self._began
        return self.signs.clock() - began - (self._blocks_s() - self._blocks_before_s)

    def _blocks_s(self) -> float:
        return sum(block.took_s() for block in self._blocks)

    def _read_pace(self) -> None:
        """Work out what the items take on this machine, as it was first read; scales follow what it does later."""
        reading = self.signs.reading() if self._pace is None else None
        if reading is not None or not self._seconds:
            self._pace = None if reading is None else Pace.of(reading)
            self._seconds = [item.seconds(self._pace or Pace()) for item in self.expected]

    def _scales(self) -> dict[str, float]:
        """For each kind, how many times as long as expected its items take."""
        if not self.expected:
            return {}
        guessed, known, learned = (defaultdict[str, float](float) for _ in range(3))
        number = Counter(item.scaled_as for item in self.expected)
        for item, seconds in zip(self.expected, self._seconds, strict=True):
            guessed[item.scaled_as] += seconds
        for each in self.finished:
            if each.taught:
                kind, seconds = self.expected[each.index].scaled_as, self._seconds[each.index]
                known[kind] += seconds
                learned[kind] += seconds * math.log(min(max(each.took_s / seconds, 1 / _MOST), _MOST))
        overall = sum(learned.values()) / (sum(known.values()) + _SHARE_OF_GUESSES * sum(self._seconds))
        prior = {kind: _ITEMS_OF_ALL * guessed[kind] / number[kind] for kind in number}
        return {kind: math.exp((learned[kind] + prior[kind] * overall) / (known[kind] + prior[kind])) for kind in prior}


def _still(expected_s: float, elapsed_s: float) -> float:
    """What is left of work of ``expected_s`` seconds that has taken ``elapsed_s`` so far."""
    return max(expected_s - elapsed_s, _OVERDUE * elapsed_s)


def each_once(items: Iterable[Expected]) -> list[Expected]:
    """The items, each without those parts that an item before it does."""
    met: set[str] = set()
    once = []
    for item in items:
        once.append(replace(item, parts={name: part for name, part in item.parts.items() if name not in met}))
        met |= item.parts.keys()
    return once


def built_ahead(items: Iterable[Expected]) -> tuple[list[Expected], float]:
    """The items as they are where all that they need is built before the first; the seconds of that on its own.

    The seconds are those of one thing after another.
    """
    before = list(items)
    return [replace(item, seen=item.seen or Seen()) for item in before], sum(item.build_s for item in before)


def expected_seconds(items: Iterable[Expected]) -> float:
    """The first guess for a run of ``items``, before anything is known of the machine."""
    return sum(item.seconds(Pace()) for item in items)
