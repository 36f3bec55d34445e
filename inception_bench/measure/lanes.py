"""Lanes: threads that each carry out one task at a time, with a workshop and so with processes of their own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import Protocol

from inception_bench.measure.workshop import Workshop

# How long a lane is waited for once it was told to stop, in intervals. One that waits for what another program is
# building hears nothing; it ends with this program.
_INTERVAL_S, _INTERVALS = 0.05, 200


class Task(Protocol):
    """A piece of work of a chain; the chain is done when all its tasks are."""

    @property
    def chain(self) -> Hashable: ...

    def run(self, workshop: Workshop) -> Sequence[Task]:
        """Do it; returns the tasks that are possible from then on."""


class Queue:
    """Hands tasks to lanes, in the order in which they were given; those that follow from others come last."""

    def __init__(self, tasks: Sequence[Task]):
        self._waiting = deque(tasks)
        self._undone = Counter(task.chain for task in tasks)
        self._total = len(self._undone)
        self._is_stopped = False
        self._changed = Condition()

    def take(self) -> Task | None:
        """The next task, waited for where one may still follow; None where there is nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopped or not self._undone)
            return None if self._is_stopped or not self._waiting else self._waiting.popleft()

    def done(self, task: Task, following: Sequence[Task]) -> None:
        """A task that was taken is over, well or badly."""
        with self._changed:
            self._waiting.extend(following)
            self._undone.update(each.chain for each in following)
            self._undone[task.chain] -= 1
            self._undone = +self._undone  # only what is above zero
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def wait(self, tell: Callable[[int, int], None]) -> None:
        """Wait until everything is done; ``tell`` gets how many chains are, and of how many, whenever that changes."""
        done = 0
        tell(done, self._total)
        while done < self._total:
            done = self._more_than(done)
            tell(done, self._total)

    def _more_than(self, done: int) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self.chains_done > done)
            return self.chains_done

    @property
    def chains_done(self) -> int:
        """How many chains have no task left."""
        return self._total - len(self._undone)


class Lane(Thread):
    """A thread that takes tasks from a queue. Its processes end with it."""

    def __init__(self, workshop: Workshop, queue: Queue):
        super().__init__(daemon=True)
        self._workshop, self._queue = workshop, queue

    def run(self) -> None:
        try:
            while (task := self._queue.take()) is not None:
                self._carry_out(task)
        finally:
            self._workshop.close()

    def finish(self) -> None:
        """From another thread: end what the lane's processes are doing, and the lane. The queue must have stopped."""
        for _ in range(_INTERVALS):
            if not self.is_alive():
                return
            self._workshop.interrupt()  # again, as it may have started another process meanwhile
            self.join(_INTERVAL_S)

    def _carry_out(self, task: Task) -> None:
        following: Sequence[Task] = ()
        try:
            # Whoever needs what failed here asks for it again, and tells why there is none; what is not to be tried
            # again is known by then.
            with suppress(Exception):
                following = task.run(self._workshop)
        finally:
            self._queue.done(task, following)
