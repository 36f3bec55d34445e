"""Records of every kind, written by the package's own writers from values that were made up or measured in a second."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from inception_bench import builder
from inception_bench.backends.base import Attestation
from inception_bench.claims.ledger import ledger
from inception_bench.claims.methods.arms import judge_proxy
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.claims.outcome import Outcome, judge_exact
from inception_bench.gate.coverage.coverage import CoverageOrder, run_coverage
from inception_bench.gate.duet.order import DuetOrder, Installed, run_duet
from inception_bench.gate.power.power import PowerOrder, run_power
from inception_bench.machine import device as device_module
from inception_bench.machine import nvml
from inception_bench.machine.cuda import Cuda
from inception_bench.machine.environment import Activity
from inception_bench.measure.ceilings import Gauge
from inception_bench.measure.measurement import Measurement
from inception_bench.measure.timed_step import TimedStep
from inception_bench.measure.training import RESULT, StepTiming, Training
from inception_bench.models.counted import Counted
from inception_bench.plugin.run import BenchRun
from inception_bench.processes.installation import Installation
from inception_bench.records.claim_body import Course
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.record import Run
from inception_bench.records.resume import Earlier
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import PROFILES
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import Artifact, ArtifactCache
from inception_bench.train.trained import Trained
from inception_bench.worker import Worker

CASE = Case(NetworkSpec("googlenet", "", 32, 0.125, 10), Runtime("eager", "cpu", "fp32", 1, 1))
TRAINED = Case(
    NetworkSpec("googlenet", "bn", 32, 0.125, 10, "recipe:quick:0", "digits"), Runtime("eager", "cpu", "fp32", 2, 1)
)
PLAIN = {str: "text", int: 1, float: 0.5, bool: True}
LIMIT_S = 120.0


def example(kind: type, filled: bool = True, **given: Any) -> Any:
    """A dataclass with a value of its type in each field; ``filled`` False leaves out whatever may be None."""
    hints = get_type_hints(kind)
    wanted = {field.name: hints[field.name] for field in fields(kind) if field.init and field.name not in given}
    return kind(**given, **{name: _value(hint, filled) for name, hint in wanted.items()})


def _value(hint: Any, filled: bool) -> Any:
    if hint in PLAIN:
        return PLAIN[hint]
    if is_dataclass(hint):
        return example(hint, filled)  # type: ignore[arg-type]
    if hint is Path:
        return Path("folder")
    arguments = get_args(hint)
    if NoneType in arguments:
        return _value(arguments[0], filled) if filled else None
    if get_origin(hint) in (Mapping, dict):
        return {_value(arguments[0], filled): _value(arguments[1], filled)}
    if get_origin(hint) in (Sequence, list, tuple):
        return [_value(arguments[0], filled)]
    raise TypeError(f"{hint} has no example: give one")


class StubCuda:
    """A card without a driver, which describes itself by the code that describes a real one."""

    def facts(self) -> dict[str, Any]:
        told = SimpleNamespace(
            call=lambda *_: None, _device=0, capability=lambda: (9, 0), free_and_total=self.free_and_total
        )
        return Cuda.facts(told)  # type: ignore[arg-type]

    def free_and_total(self) -> tuple[int, int]:
        return 70_000_000_000, 80_000_000_000


class StubNvml:
    """pynvml of a card that answers everything."""

    __spec__ = SimpleNamespace(name=nvml.MODULE)
    NVMLError = OSError
    NVML_CLOCK_SM = NVML_CLOCK_MEM = 0

    def nvmlDeviceGetComputeRunningProcesses(self, card: Any) -> list[Any]:
        return []

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.1"

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *_: 1000


class StubSession:
    """An engine that does nothing and says what memory it has."""

    def put(self, batch: np.ndarray) -> np.ndarray:
        return batch

    def run(self, batch: np.ndarray) -> np.ndarray:
        return batch

    def synchronize(self) -> None:
        """There is nothing to wait for."""

    def device_memory(self) -> dict[str, int]:
        return {"allocator_peak": 1}


def started(device: str) -> dict[str, Any]:
    """What a worker says of itself when it has started."""
    return Worker().start({"backend": "inception_bench.backends.eager:BACKEND", "device": device})[0]


def on_device() -> dict[str, Any]:
    """What a worker says of its GPU after the rounds."""
    worker = Worker()
    worker.device, worker.session = device_module.Device(), StubSession()
    worker.host_batch = worker.batch = np.zeros((1, 3, 2, 2), np.float32)
    return worker.on_device({"rounds": 1, "window_s": 0.01})[0]["device"]


def with_a_stub_gpu(patch: pytest.MonkeyPatch, module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """``started`` and ``on_device`` where a stub stands for the driver, and ``module`` for pynvml (None: not there)."""
    patch.setattr(device_module, "driver_problem", lambda: None)
    patch.setattr(device_module, "Cuda", StubCuda)
    patch.setitem(sys.modules, nvml.MODULE, module)
    return started("cuda"), on_device()


def measurements(patch: pytest.MonkeyPatch) -> Iterator[Measurement]:
    """Cells that were measured, on a CPU, on a GPU whose NVML answers and on one without; and one that never began."""
    modules = ["torch"]
    activity = Activity.now().since(Activity.now())
    processes = [(started("cpu"), None)]
    for module in (StubNvml(), None):
        with patch.context() as stubs:
            processes.append(with_a_stub_gpu(stubs, module))
    for about, device in processes:
        worker, attest = {**about, "modules": modules}, example(Attestation, device is not None)
        given = {"attest": attest, "device": device, "worker": worker, "activity": activity}
        yield example(Measurement, **given)
    yield Measurement()


def outcomes() -> Iterator[Outcome]:
    """Claims of each way to measure: by arithmetic, by pairs, by trainings, and one that was left out."""
    by_id = ledger()
    proxy_id = next(claim_id for claim_id in PROXIES if "dead_more" not in PROXIES[claim_id].effects)
    proxy = PROXIES[proxy_id]
    exact = next(claim for claim in by_id.values() if claim.is_exact and len(claim.units) == 1)
    yield judge_exact(exact, [1.0])
    yield Outcome(exact, "reproduced", pairs=("a-pair",))
    yield Outcome(exact, "not run", note="left out")
    courses = [
        (example(Course, filled, outcome="ok", validation={proxy.early: 0.7}, losses=[1.0]),) * 2
        for filled in (True, False, True)
    ]
    yield judge_proxy(by_id[proxy_id], proxy, courses)


def trained(folder: Path, filled: bool) -> Trained:
    """What training comes to, as it is read from the cache."""
    folder.mkdir(exist_ok=True)
    (folder / RESULT).write_text(json.dumps(asdict(example(Trained, filled))))
    training = Training(ArtifactCache(folder), LIMIT_S)
    training.weights = lambda case: Artifact(folder, "key", "digest", 1, 0.5, True)  # type: ignore[method-assign]
    return training.result(TRAINED)


def step(folder: Path) -> TimedStep:
    """One timed training step."""
    timing = StepTiming(TRAINED, Training(ArtifactCache(folder), LIMIT_S), LIMIT_S)
    try:
        timing.begin()
        timing.round()
        timing.end()
    finally:
        timing.close()
    return timing.timed()


def counted(address: str) -> Counted:
    """What the counters give."""
    scale = {"input_size": CASE.network.input_size, "width_mult": CASE.network.width_mult}
    message = {"address": address, **scale, "num_classes": 10}
    return Counted.from_json(builder.count_network(message)[0])


def write_all(folder: Path, patch: pytest.MonkeyPatch) -> list[Path]:
    """Records of every kind in folders below ``folder``: those folders, of which the first has ``environment.json``."""
    own = folder / "run"
    own.mkdir()
    nothing: Any = None
    run = BenchRun(
        own, nothing, nothing, nothing, Run.begin("quick"), Journal(own / FILE), Activity.now(), Earlier(), nothing
    )  # fmt: skip
    run.item_s = lambda: 12.5
    run.write_environment()
    for measurement in measurements(patch):
        run.keep_cell(CASE, measurement)
        run.keep_pair(Pair("a-pair", CASE, CASE), measurement)
    for address in ("googlenet", "googlenet_naive"):
        run.keep_complexity(CASE, counted(address))
    for filled in (True, False):
        run.keep_training(TRAINED, trained(folder / "trained", filled))
    run.keep_step(TRAINED, step(folder / "step"))
    for outcome in outcomes():
        run.keep_claim(outcome)
    run.take_over(run.keep_cell(CASE, Measurement()))
    run.gauge = Gauge(1, ["fp32"])
    run.read_machine()
    run.gauge.close()
    run.gauge, run._read_at = Gauge(1, ["fp32"], Installation("/nowhere", folder, {})), -math.inf
    run.read_machine()
    patch.setenv("INCEPTION_BENCH_CACHE", str(folder / "cache"))
    nowhere = CASE.with_runtime(backend="tensorrt")
    run_duet(DuetOrder((nowhere,), Installed(), Installed(), folder / "duet"), lambda line: None)
    run_power(PowerOrder((CASE,), folder / "power", minutes=1e-9, budget_s=4.0), lambda line: None)
    quick = replace(PROFILES["quick"], rounds=6, budget_s=0.1)
    run_coverage(CoverageOrder((CASE,), ("eager",), (1,), quick, folder / "coverage", 1e-9), lambda line: None)
    return [own, folder / "duet", folder / "power", folder / "coverage"]
