"""Tasks are carried out by several threads at once, each once, and none is waited for in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Barrier, Event
from typing import Any

from inception_bench.measure.lanes import Lane, Queue


class Bench:
    """Stands for a workshop: a call that hangs ends when it is interrupted."""

    def __init__(self) -> None:
        self.interrupted, self.closed = Event(), False

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True, eq=False)
class Work:
    chain: str
    do: Any
    following: Sequence[Work] = ()

    def run(self, workshop: Any) -> Sequence[Work]:
        self.do(workshop)
        return self.following


def carry_out(tasks: Sequence[Work], lanes: int = 1) -> list[tuple[int, int]]:
    """All of ``tasks``; returns the progress that was told."""
    queue, told = Queue(tasks), []
    made = [Lane(Bench(), queue) for _ in range(lanes)]
    for lane in made:
        lane.start()
    queue.wait(lambda done, total: told.append((done, total)))
    queue.stop()
    for lane in made:
        lane.finish()
    assert all(not lane.is_alive() and lane._workshop.closed for lane in made)
    return told


def test_what_follows_comes_last_and_a_chain_is_done_with_its_last_task():
    order = []

    def work(chain: str, name: str, *following: Work) -> Work:
        return Work(chain, lambda _: order.append(name), following)

    queue, done = Queue([work("a", "head a", work("a", "1"), work("a", "2")), work("b", "head b")]), []
    for _ in range(4):
        task = queue.take()
        queue.done(task, task.run(None))
        done.append(queue.chains_done)
    assert order == ["head a", "head b", "1", "2"]
    assert done == [0, 1, 1, 2]
    assert queue.take() is None


def test_lanes_work_at_the_same_time():
    meeting = Barrier(2)
    carry_out([Work("a", lambda _: meeting.wait(60)), Work("b", lambda _: meeting.wait(60))], lanes=2)
    assert not meeting.broken


def test_what_fails_ends_its_own_chain_alone():
    done = []

    def fail(_):
        raise RuntimeError("within")

    told = carry_out([Work("a", fail, [Work("a", done.append)]), Work("b", done.append)])
    assert len(done) == 1
    assert (told[0], told[-1]) == ((0, 2), (2, 2))


def test_a_lane_that_hangs_is_interrupted():
    begun = Event()

    def hang(workshop: Bench) -> None:
        begun.set()
        workshop.interrupted.wait()

    later = []
    queue = Queue([Work("a", hang), Work("b", later.append)])
    lane = Lane(Bench(), queue)
    lane.start()
    begun.wait()
    queue.stop()
    lane.finish()
    assert (lane.is_alive(), later) == (False, [])
