"""One of ``parity``'s two processes: prepares networks on the CPU in a thread, compares them on the device."""

from __future__ import annotations

import copy
import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probe.device import DTYPES, Device
from probe.networks import FIRST, Prepared, least_spread, names, prepare
from probe.task import Progress, Task, limit_own_life, soft, wait_for_line, words

BATCHES = {False: (1, 128, 8), True: (1, 16, 8)}
REFERENCE_IMAGES = 2
KERNELS = 60
KERNEL_TEXT = 110


@dataclass(frozen=True)
class Job:
    """One comparison with float64. ``benchmark`` and ``deterministic`` are cuDNN's."""

    network: str
    precision: str
    batch_size: int
    benchmark: bool
    deterministic: bool = False


@dataclass
class Subject:
    """A network on the device with its float64 logits (8, classes) and their least spread."""

    model: nn.Module
    images: Tensor
    logits: np.ndarray
    spread: float


def jobs_of(role: str, networks: list[str], batches: tuple[int, ...], precisions: tuple[str, ...]) -> list[Job]:
    """What a role compares, in the order of its value: time may end anywhere.

    The heuristic choice takes network by network, as they are prepared, then the other precisions. The search
    takes the networks of a first run at both batches that are measured, then the others, then the rest: each
    search may take seconds.
    """
    one, most, middle = batches
    reduced = [precision for precision in precisions if precision != "fp32"]
    if role == "heuristic":
        found = []
        for name in networks:
            found += [Job(name, "fp32", size, False) for size in batches]
            found += [Job(name, precision, middle, False) for precision in reduced[:1]]
        for name in networks:
            found += [Job(name, precision, middle, False) for precision in reduced[1:]]
            found.append(Job(name, "fp32", middle, False, deterministic=True))
        return found
    early = [name for name in networks if name in FIRST]
    late = [name for name in networks if name not in FIRST]
    return [
        *(Job(name, "fp32", size, True) for name in early for size in (one, most)),
        *(Job(name, "fp32", one, True) for name in late),
        *(Job(name, "fp32", size, True, deterministic=True) for name in early[:1] for size in (one, most)),
        *(Job(name, "fp32", most, True) for name in late),
        *(Job(name, "fp32", middle, True) for name in networks),
        *(Job(name, precision, middle, True) for precision in reduced for name in networks),
        *(Job(name, "fp32", middle, True, deterministic=True) for name in networks),
    ]


class Pantry:
    """Networks prepared in a thread, in order, so that the device does not wait for the CPU."""

    def __init__(self, wanted: list[str], small: bool):
        self._done: queue.Queue[Prepared | Exception] = queue.Queue()
        self._found: dict[str, Prepared] = {}
        self._wanted, self._small = wanted, small
        self._left = len(wanted)
        threading.Thread(target=self._prepare, daemon=True).start()

    def _prepare(self) -> None:
        for name in self._wanted:
            try:
                self._done.put(prepare(name, self._small))
            except Exception as error:  # one network that fails leaves the others
                self._done.put(RuntimeError(f"{name}: {words(error)}"))

    def take(self, name: str) -> Prepared:
        """Wait for a network. Raises RuntimeError where it could not be prepared."""
        while name not in self._found:
            if not self._left:
                raise RuntimeError(f"{name} was not prepared")
            entry = self._done.get()
            self._left -= 1
            if isinstance(entry, Exception):
                raise entry
            self._found[entry.name] = entry
        return self._found.pop(name)


class Comparer:
    """Runs jobs on the device, with the subjects that they share."""

    def __init__(self, task: Task, progress: Progress, pantry: Pantry):
        self.device = Device(task.device)
        self._pantry, self._progress, self._small = pantry, progress, task.small
        self._subjects: dict[str, Subject] = {}
        self._lost: dict[str, str] = {}

    def subject(self, name: str) -> Subject:
        if name in self._lost:  # said once; its other jobs are not tried
            raise RuntimeError(self._lost[name])
        if name not in self._subjects:
            try:
                self._subjects[name] = self._make(self._pantry.take(name))
            except Exception as error:
                self._lost[name] = words(error)
                raise
        return self._subjects[name]

    def _make(self, prepared: Prepared) -> Subject:
        start = time.perf_counter()
        images = prepared.images.to(self.device.kind)
        model = prepared.model.to(self.device.kind)
        self.device.allow()
        exact = copy.deepcopy(model).double()
        by = "cudnn" if self.device.is_cuda else "cpu"
        try:
            logits = exact(images.double()).cpu().numpy()
        except RuntimeError:  # a library without this convolution in float64: torch's own is slower, and exact too
            by = "torch, without cudnn"
            with torch.backends.cudnn.flags(enabled=False):
                logits = exact(images.double()).cpu().numpy()
        facts = self._progress.value.setdefault("networks", {})
        facts[prepared.name] = {
            "spread": least_spread(logits),
            "largest_logit": float(np.abs(logits).max()),
            "float64_by": by,
            "float64_s": time.perf_counter() - start,
        }
        return Subject(model, images, logits, least_spread(logits))

    def check_reference(self, name: str) -> dict[str, Any]:
        """The device's float64 against the CPU's, on two images: over the spread, as every error here."""
        subject = self.subject(name)
        start = time.perf_counter()
        exact = copy.deepcopy(subject.model).double().cpu()
        logits = exact(subject.images[:REFERENCE_IMAGES].double().cpu()).numpy()
        error = float(np.abs(logits - subject.logits[:REFERENCE_IMAGES]).max()) / subject.spread
        return {"network": name, "parity_error": error, "cpu_s": time.perf_counter() - start}

    def compare(self, job: Job) -> dict[str, Any]:
        """The largest absolute logit difference over the least spread; the first call's seconds tell a search."""
        subject = self.subject(job.network)
        dtype = DTYPES[job.precision]
        self.device.allow(tf32=job.precision == "tf32", benchmark=job.benchmark, deterministic=job.deterministic)
        model = subject.model
        if dtype is not torch.float32:
            model = copy.deepcopy(model).to(dtype)
        rows = np.arange(job.batch_size) % len(subject.logits)
        batch = subject.images[torch.from_numpy(rows).to(self.device.kind)].to(dtype).contiguous()
        self.device.synchronize()
        start = time.perf_counter()
        output = model(batch)
        self.device.synchronize()
        first_call_s = time.perf_counter() - start
        # The plan is chosen by now. The first call of a search may end on another plan's output, so call again.
        output = model(batch).double().cpu().numpy()
        error = float(np.abs(output - subject.logits[rows]).max()) / subject.spread
        found = {**vars(job), "parity_error": error, "first_call_s": first_call_s}
        if not np.isfinite(error):
            found.update(parity_error=None, error="the logits are not finite")
        return found

    def kernels(self, job: Job) -> dict[str, Any]:
        """The names of a call's kernels: which algorithms were chosen (Winograd has it in its name)."""
        from torch.profiler import ProfilerActivity, profile

        subject = self.subject(job.network)
        self.device.allow(benchmark=job.benchmark)
        rows = torch.arange(job.batch_size) % len(subject.logits)
        batch = subject.images[rows.to(self.device.kind)].contiguous()
        with profile(activities=[ProfilerActivity.CUDA if self.device.is_cuda else ProfilerActivity.CPU]) as seen:
            subject.model(batch)
            self.device.synchronize()
        counts = {entry.key: entry.count for entry in seen.key_averages()}
        if not counts:
            raise RuntimeError("the profiler saw no kernel")
        winograd = sum(count for key, count in counts.items() if "winograd" in key.lower())
        kept = sorted(counts.items(), key=lambda entry: -entry[1])[:KERNELS]
        return {**vars(job), "winograd": winograd, "kernels": [[key[:KERNEL_TEXT], count] for key, count in kept]}


def work(task: Task, progress: Progress) -> None:
    """Wait for the word, then compare until the time is over."""
    networks = names(task.small)
    # Two processes prepare at once; more threads than cores would wait for each other.
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    message = wait_for_line()
    pantry = Pantry(networks, task.small)  # the second process prepares while the first compares
    if "budget_s" not in message:
        message = wait_for_line()
    limit_own_life(message["budget_s"])
    deadline = soft(message["budget_s"])
    precisions = ("fp32", "fp16", "tf32", "bf16") if task.device == "cuda" else ("fp32", "fp16", "bf16")
    jobs = jobs_of(task.role, networks, BATCHES[task.small], precisions)
    progress.value.update(jobs=[], left_out=[vars(job) for job in jobs], failures=[])
    progress.save()
    with torch.no_grad():
        _compare_all(task, Comparer(task, progress, pantry), jobs, deadline, progress)


def _compare_all(task: Task, comparer: Comparer, jobs: list[Job], deadline: Any, progress: Progress) -> None:
    value, longest = progress.value, 0.0
    for number, job in enumerate(jobs):
        if deadline.left() < longest:
            return
        start = time.perf_counter()
        try:
            value["jobs"].append(comparer.compare(job))
        except Exception as error:
            value["jobs"].append({**vars(job), "parity_error": None, "error": words(error)})
        longest = max(longest, time.perf_counter() - start)
        value["left_out"] = [vars(left) for left in jobs[number + 1 :]]
        last_of_first = number + 1 == len(jobs) or jobs[number + 1].network != job.network
        if job.network == FIRST[0] and last_of_first:
            _extras(task, comparer, job, value)
        progress.save()


def _extras(task: Task, comparer: Comparer, job: Job, value: dict[str, Any]) -> None:
    """Once, when the first network has been compared: its reference on the CPU, or its kernels after the search."""
    name = "reference_check" if task.role == "heuristic" else "kernels"
    if name in value:
        return
    try:
        if task.role == "heuristic":
            value[name] = comparer.check_reference(job.network)
        else:
            one, most, _ = BATCHES[task.small]
            value[name] = [comparer.kernels(Job(job.network, "fp32", size, True)) for size in (one, most)]
    except Exception as error:
        value["failures"].append(f"{name}: {words(error)}")
