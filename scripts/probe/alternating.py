"""Section ``alternating``: what it costs a call that another process used the GPU just before.

Two fresh processes with the same eager network. ``alone`` times one of them; ``alternating`` gives each a call in
turn; ``primed`` puts an untimed call right before each timed one; ``flushed`` also empties the cache between.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

from probe.task import Child, Deadline, Progress, Task, limit_own_life, wait_for_line, words

NETWORK = "inception_v3"
ROUNDS = {False: {1: 32, 128: 8}, True: {1: 4, 2: 4}}
FLUSH_BYTES = {False: 2**28, True: 2**22}  # several times the L2 of any card
WARM_CALLS = 5
CONDITIONS = ("alone", "alone_asked", "alternating", "primed", "flushed")


def start(task: Task) -> list[Child]:
    """The two processes, importing already."""
    return [Child(task.as_role(role), group=False, talks=True) for role in "ab"]


def run(task: Task, deadline: Deadline, progress: Progress, children: list[Child]) -> None:
    """By batch size and condition: host and device seconds of process ``a`` and of its partner ``b``."""
    value = progress.value
    value.update(network=NETWORK, precision="fp32", cudnn_benchmark=False, batches={}, left_out=[])
    progress.save()
    for child in children:
        child.tell(budget_s=deadline.left())
    for batch_size, rounds in ROUNDS[task.small].items():
        if deadline.left() < deadline.budget_s * 0.2:
            value["left_out"].append(batch_size)
            continue
        for child in children:  # both at once: what a first call pays is no part of this
            child.tell(load=batch_size)
        value["batches"][batch_size] = found = {"rounds": rounds, "loaded": [child.answer() for child in children]}
        for condition in CONDITIONS:
            if deadline.left() < 0:
                value["left_out"].append(f"{batch_size} {condition}")
                continue
            found[condition] = _condition(condition, rounds, children)
            found["ratios"] = ratios(found)
            progress.save()
    for child in children:
        child.tell(end=True)


def _condition(condition: str, rounds: int, children: list[Child]) -> dict[str, Any]:
    if condition == "alone":
        children[0].tell(rounds=rounds, prime=False, flush=False)
        return {"a": summary([children[0].answer()])}
    asked = children[:1] if condition == "alone_asked" else children
    order = {"rounds": 1, "prime": condition in ("primed", "flushed"), "flush": condition == "flushed"}
    answers: list[list[dict[str, Any]]] = [[] for _ in asked]
    for _ in range(rounds):
        for child, own in zip(asked, answers, strict=True):
            child.tell(**order)
            own.append(child.answer())
    return {name: summary(own) for name, own in zip("ab", answers, strict=False)}


def summary(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Spread and raw values of what a process timed."""
    found: dict[str, Any] = {}
    for clock in ("host_s", "device_s"):
        values = sorted(value for answer in answers for value in answer[clock])
        middle = len(values) // 2
        median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
        found[clock] = {"min_s": values[0], "median_s": median, "max_s": values[-1]}
        found[clock + "_raw"] = [value for answer in answers for value in answer[clock]]
    return found


def ratios(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Each condition's median over that of ``alone``: 1 where the partner costs nothing."""
    base = found["alone"]["a"]
    return {
        condition: {
            clock: found[condition]["a"][clock]["median_s"] / base[clock]["median_s"]
            for clock in ("host_s", "device_s")
        }
        for condition in CONDITIONS
        if condition in found
    }


class Partner:
    """One of the two: a network, a batch, and a buffer whose writing empties the cache."""

    def __init__(self, task: Task):
        import torch

        from probe.device import Device

        self._torch, self._task = torch, task
        self.device = Device(task.device)
        self._buffer = torch.zeros(FLUSH_BYTES[task.small], dtype=torch.uint8, device=task.device)

    def load(self, batch_size: int) -> dict[str, Any]:
        from probe.networks import noise_network

        self.device.allow()
        model, batch = noise_network(NETWORK, batch_size, self._task.small)
        self._model, self._batch = model.to(self.device.kind), batch.to(self.device.kind)
        first = self.device.host_and_device_s(self._call)[0]
        for _ in range(WARM_CALLS):
            self._call()
        self.device.synchronize()
        return {"first_call_s": first, "pid": os.getpid()}

    def _call(self) -> Any:
        with self._torch.inference_mode():
            return self._model(self._batch)

    def rounds(self, count: int, prime: bool, flush: bool) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"host_s": [], "device_s": []}
        for _ in range(count):
            if prime:
                self._call()
                self.device.synchronize()
            if flush:
                self._buffer.add_(1)
                self.device.synchronize()
            host, device = self.device.host_and_device_s(self._call)
            found["host_s"].append(host)
            found["device_s"].append(device)
        return found


def work(task: Task, _: Progress) -> None:
    """Answer line by line until told to end. What libraries print goes to the log, not between the answers."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    import_module("probe.networks")  # torch and the package, before the word is given
    limit_own_life(wait_for_line()["budget_s"])
    partner = Partner(task)
    while "end" not in (order := wait_for_line()):
        try:
            answer: dict[str, Any]
            if "load" in order:
                answer = partner.load(order["load"])
            else:
                answer = partner.rounds(order["rounds"], order["prime"], order["flush"])
        except Exception as error:
            print(words(error), file=sys.stderr)
            raise
        answers.write(json.dumps(answer) + "\n")
