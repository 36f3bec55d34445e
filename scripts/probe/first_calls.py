"""Section ``first_calls``: what a compiled network costs before its first answer.

Each way is a process with empty caches of its own; they run at once, as a host of a GPU has cores enough and each
compiles on one most of the time. A way that is not done in time gives the least that it takes (``over_s``).
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from probe.task import Child, Deadline, Progress, Task, limit_own_life, read_answer, wait_for_line, words

NETWORK = "inception_v3"
BATCH_SIZE = 1
COMPILE_THREADS = 8
WAYS = ("eager", "compile", "compile_reduce_overhead", "aot_inductor")
NOT_ASKED = "left out of a dry run; --compile asks for it"
POLL_S = 0.1
STEADY_CALLS = 20


def start(task: Task) -> list[Child]:
    """One process a way, importing already."""
    return [
        Child(task.as_role(way), group=False, environment=_environment(task, way))
        for way in WAYS
        if way == "eager" or task.compile
    ]


def _environment(task: Task, way: str) -> dict[str, str]:
    caches = Path(task.folder) / f"cache.{way}"
    return {
        "TORCHINDUCTOR_COMPILE_THREADS": str(COMPILE_THREADS),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
        "TRITON_CACHE_DIR": str(caches / "triton"),
    }


def run(task: Task, deadline: Deadline, progress: Progress, children: list[Child]) -> None:
    """Tell all to go, and collect what they have until the last is done or the time is over."""
    value = progress.value
    value.update(network=NETWORK, batch_size=BATCH_SIZE, compile_threads=COMPILE_THREADS, at_once=len(children))
    value["precision"] = "fp16" if task.device == "cuda" else "fp32"
    value["ways"] = ways = {way: {"reason": NOT_ASKED} for way in WAYS}
    for child in children:
        child.tell(budget_s=deadline.left())
    begin = time.monotonic()
    while deadline.left() > 0 and any(child.process.poll() is None for child in children):
        time.sleep(POLL_S)
        ways.update({child.task.role: read_answer(child.task) for child in children})
        progress.save()
    for child in children:
        found = read_answer(child.task)
        if child.process.poll() is None:
            found |= {"error": f"over {time.monotonic() - begin:.1f} s", "over_s": time.monotonic() - begin}
            child.kill()
        elif child.process.returncode:
            found.setdefault("error", child.log_tail())
        ways[child.task.role] = found
    if all("error" in found or "reason" in found for found in ways.values()):
        value["error"] = "no way gave a first answer: " + "; ".join(str(found.get("error")) for found in ways.values())


def work(task: Task, progress: Progress) -> None:
    """One way: each step's seconds, written as soon as the step is done."""
    import torch

    from probe.device import Device
    from probe.networks import noise_network

    model, batch = noise_network(NETWORK, BATCH_SIZE, task.small)
    budget_s = wait_for_line()["budget_s"]
    limit_own_life(budget_s)
    device = Device(task.device)
    device.allow()
    dtype = torch.float16 if device.is_cuda else torch.float32  # a processor may have no fast half
    model, batch = model.to(device.kind, dtype), batch.to(device.kind, dtype)
    device.synchronize()
    way = _Way(device, progress)
    try:
        _ready(way, task, model, batch)
    except Exception as error:
        progress.value["error"] = words(error)


class _Way:
    """Times steps one after the other, and writes each at once."""

    def __init__(self, device: Any, progress: Progress):
        self.device, self._progress = device, progress

    def step(self, name: str, call: Any) -> Any:
        self._progress.value["now"] = name
        self._progress.save()
        start = time.perf_counter()
        found = call()
        self.device.synchronize()
        self._progress.value[name] = time.perf_counter() - start
        del self._progress.value["now"]
        self._progress.save()
        return found


def _ready(way: _Way, task: Task, model: Any, batch: Any) -> None:
    import torch

    call = model
    if task.role.startswith("compile"):
        call = torch.compile(model, mode="reduce-overhead" if task.role.endswith("overhead") else None)
    elif task.role == "aot_inductor":
        import torch._inductor

        package = str(Path(task.folder) / "network.pt2")
        with torch.no_grad():
            exported = way.step("export_s", lambda: torch.export.export(model, (batch,)))
            way.step("build_s", lambda: torch._inductor.aoti_compile_and_package(exported, package_path=package))
            call = way.step("load_s", lambda: torch._inductor.aoti_load_package(package))
    with torch.inference_mode():
        way.step("first_call_s", lambda: call(batch))
        # A CUDA graph is recorded in the second call and replayed from the third.
        way.step("second_call_s", lambda: call(batch))
        way.step("third_call_s", lambda: call(batch))
        values = [way.device.host_and_device_s(lambda: call(batch)) for _ in range(STEADY_CALLS)]
    way._progress.value["steady_host_s"] = statistics.median(host for host, _ in values)
    way._progress.value["steady_device_s"] = statistics.median(device for _, device in values)
