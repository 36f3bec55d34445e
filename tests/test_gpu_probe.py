"""The probe of a GPU, run dry on the CPU: as a process, killed, with an NVML that answers, refuses or hangs."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from inception_bench.builder import least_spread
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from probe import ceilings, networks, parity, parity_worker
from probe.device import Device
from probe.machine import _gpu, energy_counter
from probe.table import table_lines
from probe.task import Progress, Task, finite, soft, write_json

SCRIPT = ROOT / "scripts" / "gpu_probe.py"
# What the driver's library would answer: 345 MHz, 71,500 milliwatts, and 50 joules every tenth of a second.
NVML = """
import time
class NVMLError(Exception): pass
NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_CLOCK_GRAPHICS, NVML_TEMPERATURE_GPU = 1, 2, 0, 0
class Entry:
    def __init__(self, **values): vars(self).update(values)
def nvmlInit(): {init}
def nvmlDeviceGetHandleByIndex(index): return "card"
def nvmlDeviceGetClockInfo(card, kind): return {{1: 345, 2: 2619}}[kind]
def nvmlDeviceGetPowerUsage(card): return 71500
def nvmlDeviceGetCurrentClocksThrottleReasons(card): return 0x5
def nvmlDeviceGetTotalEnergyConsumption(card): return int(time.monotonic() * 10) * 50000
def nvmlDeviceGetComputeRunningProcesses(card): return [Entry(pid=7, usedGpuMemory=None)]
def nvmlDeviceGetMigMode(card): raise NVMLError("Not Supported")
def nvmlSystemGetDriverVersion(): return "580.159.04"
"""


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    answer: dict

    @property
    def sections(self):
        return self.answer["sections"]


def environment(folder: Path, init: str) -> dict[str, str]:
    """One thread, an NVML whose start does ``init``, and temporary files beside it."""
    (folder / "pynvml.py").write_text(NVML.format(init=init))
    paths = [str(folder), str(ROOT)]
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(folder)}


def left_over(folder: Path) -> list[str]:
    """Processes of a probe that has ended, known by their temporary folder, and that folder itself."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if f"{folder}/gpu_probe." in line] + list(map(str, folder.glob("gpu_probe.*")))


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--device", "cpu", "--small", "-o", str(folder / "probe.json"), *more]


def probe(folder: Path, *more: str, init: str = "pass") -> Run:
    done = subprocess.run(
        command(folder, *more), env=environment(folder, init), cwd=folder, capture_output=True, text=True, timeout=170
    )
    assert (folder / "probe.json").exists(), done.stderr
    return Run(done.returncode, done.stdout, json.loads((folder / "probe.json").read_text()))


@pytest.fixture(scope="module")
def dry(tmp_path_factory) -> Run:
    # Twice the usual time: other work on the machine may slow it down, and what is left out is not under test.
    return probe(tmp_path_factory.mktemp("dry"), "--seconds", "160")


def test_dry_run_is_whole(dry):
    assert dry.code == 0, dry.sections
    assert list(dry.sections) == ["machine", "ceilings", "parity", "alternating", "first_calls"]
    assert dry.answer["finished"]
    assert dry.answer["wall_s"] < 160
    assert not any("error" in section for section in dry.sections.values())
    assert len(dry.out) < 8000
    for name in dry.sections:
        assert f"\n{name}: " in dry.out
    assert "no more to show" not in dry.out


def test_machine_says_what_nvml_answers_and_refuses(dry):
    nvml = dry.sections["machine"]["nvml"]
    assert nvml["facts"]["driver"] == "580.159.04"
    assert nvml["facts"]["mig"] == {"error": "NVMLError: Not Supported"}
    assert nvml["idle"]["sm_clock_hz"] == 345_000_000
    assert nvml["idle"]["power_w"] == 71.5
    assert nvml["idle"]["throttle_reasons"] == ["idle", "power_cap"]
    assert nvml["idle"]["processes"] == [{"pid": 7, "used_bytes": None, "self": False}]
    assert "AttributeError" in nvml["idle"]["temperature_c"]["error"]  # this NVML has no such question


def test_ceilings_follow_from_counted_macs(dry):
    value = dry.sections["ceilings"]
    products = [entry for entry in value["matrix_product"] if entry.get("macs_s")]
    assert {entry["precision"] for entry in products} == {"fp32", "bf16", "fp16", "int8"}
    assert {entry["macs"] for entry in products} == {16_777_216}  # 256 x 256 x 256
    convolutions = [entry for entry in value["convolution"] if entry.get("macs_s")]
    assert {entry["macs"] for entry in convolutions} == {1_331_712}  # 2 images x 17 x 17 x 16 x 16 x 9
    for entry in products + convolutions:
        latency = entry["latency_s"]
        assert 0 < latency["min_s"] <= latency["median_s"] <= latency["max_s"]
        assert entry["macs_s"] == pytest.approx(entry["macs"] / latency["median_s"])
        assert entry["macs_s_highest"] == pytest.approx(entry["macs"] / latency["min_s"])
        assert 1e7 < entry["macs_s"] < 1e13  # a core does 1e9 to 1e11 a second
    fastest = max(entry["macs_s"] for entry in products if entry["precision"] == "fp32")
    assert value["best"]["matrix_product"]["fp32"]["macs_s"] == fastest
    assert value["copy"][0]["bytes"] == 2 * 2**24
    assert value["left_out"] == []


def test_what_a_cpu_lacks_has_a_reason(dry):
    value = dry.sections["ceilings"]
    missing = [entry for kind in ("matrix_product", "convolution") for entry in value[kind] if entry["macs_s"] is None]
    assert {entry["precision"]: entry["reason"] for entry in missing} == {
        "tf32": "a CPU has no TF32",
        "int8": "eager torch has no int8 convolution on CUDA",
    }
    assert value["launch"]["empty_kernel_host_s"] is None
    assert dry.sections["machine"]["gpu"] == {"reason": "the device is the CPU"}


def test_parity_of_two_networks(dry):
    value = dry.sections["parity"]
    assert "errors" not in value
    assert value["failures"] == []
    # heuristic: 2 networks x (3 batches of fp32, fp16, bf16, deterministic); search: the same and batches 1 and 16
    # of the first network once more, deterministic.
    assert [sum(job["benchmark"] is way for job in value["jobs"]) for way in (False, True)] == [12, 14]
    assert value["left_out"] == {"heuristic": [], "search": []}
    errors = {
        precision: [job["parity_error"] for job in value["jobs"] if job["precision"] == precision]
        for precision in ("fp32", "fp16", "bf16")
    }
    # A mantissa of 24, 11 and 8 bits: rounding is about 2^13 and 2^16 times that of float32.
    assert 0 < max(errors["fp32"]) < 1e-4 < min(errors["fp16"]) < 5e-2
    assert max(errors["fp16"]) < max(errors["bf16"]) < 1
    assert value["reference_check"]["parity_error"] < 1e-9
    assert [entry["batch_size"] for entry in value["kernels"]] == [1, 16]
    assert all(row["holds"] for row in value["worst"] if row["precision"] == "fp32")


def test_alternating_has_every_condition(dry):
    for size in ("1", "2"):
        found = dry.sections["alternating"]["batches"][size]
        for condition in ("alone", "alone_asked", "alternating", "primed", "flushed"):
            raw = found[condition]["a"]["host_s_raw"]
            assert len(raw) == 4
            assert found[condition]["a"]["host_s"]["median_s"] == pytest.approx(statistics.median(raw))
        assert "b" in found["alternating"]
        assert "b" not in found["alone_asked"]
        medians = [found[condition]["a"]["host_s"]["median_s"] for condition in ("flushed", "alone")]
        assert found["ratios"]["flushed"]["host_s"] == pytest.approx(medians[0] / medians[1])
    one, two = (dry.sections["alternating"]["batches"][size]["loaded"] for size in ("1", "2"))
    assert len({entry["pid"] for entry in one + two}) == 2  # the same two processes


def test_first_calls_of_a_dry_run_are_eager(dry):
    ways = dry.sections["first_calls"]["ways"]
    assert ways["eager"]["first_call_s"] > 0
    assert ways["eager"]["steady_host_s"] > 0
    assert "dry run" in ways["aot_inductor"]["reason"]


@pytest.mark.slow
def test_a_section_that_hangs_is_killed_and_the_others_go_on(tmp_path):
    run = probe(tmp_path, "--sections", "machine,ceilings", "--limit", "machine=1", init="time.sleep(1000)")
    assert run.code == 1
    machine = run.sections["machine"]
    assert machine["error"] == "not done within 1.0 s; killed"
    assert machine["partial"]["host"]["torch"] == torch.__version__  # what it had by then
    assert 1 <= machine["wall_s"] < 2.9  # it does not end by itself: a kill that misses waits two seconds
    assert run.sections["ceilings"]["best"]["matrix_product"]["fp32"]["macs_s"] > 0
    assert "ERROR not done within 1.0 s" in run.out
    assert left_over(tmp_path) == []


def test_nvml_that_cannot_start_is_a_fact(tmp_path):
    run = probe(tmp_path, "--sections", "machine", init='raise NVMLError("Driver Not Loaded")')
    assert run.code == 0
    assert run.sections["machine"]["nvml"] == {"error": "NVMLError: Driver Not Loaded"}
    assert run.sections["machine"]["under_load"]["macs_s"] > 0


@pytest.mark.slow
def test_no_gpu_is_an_error_of_each_section(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--sections", "machine,alternating", "-o", str(tmp_path / "probe.json")],
        env=environment(tmp_path, "pass"),
        capture_output=True,
        text=True,
        timeout=100,
    )
    answer = json.loads((tmp_path / "probe.json").read_text())
    assert done.returncode == 1
    assert answer["sections"]["machine"]["partial"]["nvml"]["idle"]["power_w"] == 71.5
    assert "ended" in answer["sections"]["alternating"]["error"]


@pytest.mark.slow
def test_a_kill_leaves_what_was_done_and_no_process(tmp_path):
    sections = ("--sections", "machine,ceilings,parity")
    started = subprocess.Popen(command(tmp_path, *sections), env=environment(tmp_path, "pass"), stdout=subprocess.PIPE)
    limit = time.monotonic() + 60
    while not (tmp_path / "probe.json").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    below = psutil.Process(started.pid).children(recursive=True)
    assert len(below) >= 3  # ceilings, parity and its helpers
    started.send_signal(signal.SIGTERM)
    started.wait(20)
    _, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
    assert left_over(tmp_path) == []
    answer = json.loads((tmp_path / "probe.json").read_text())
    assert "host" in answer["sections"]["machine"]
    assert not answer["finished"]


def test_unknown_section_is_wrong_usage(tmp_path):
    done = subprocess.run(command(tmp_path, "--sections", "machin"), capture_output=True, text=True)
    assert done.returncode == 2
    assert "machine, ceilings, parity, alternating, first_calls" in done.stderr


def test_convolution_macs_by_hand():
    # 128 images x 35 x 35 places x 192 outputs x 192 inputs x 9
    assert ceilings.CONVOLUTIONS[False][0].macs == 128 * 1225 * 331_776 == 52_022_476_800


def test_best_leaves_out_copies_that_fit_a_cache():
    copies = [
        {"what": "large", "bytes": 2**31, "bytes_s": 3e12, "bytes_s_highest": 3.1e12},
        {"what": "cached", "bytes": 2**25, "bytes_s": 9e12, "bytes_s_highest": 9e12},
    ]
    value = {"matrix_product": [], "convolution": [], "copy": copies}
    assert ceilings.best(value)["copy"] == {"bytes_s": 3e12, "bytes_s_highest": 3.1e12, "what": "large"}


def test_energy_counter_by_hand():
    # The first reading began earlier; from 0.1 s to 0.3 s the counter rose by 20 J: 100 W.
    found = energy_counter([(0.0, 100.0), (0.1, 110.0), (0.3, 130.0)])
    assert found["energy_power_w"] == pytest.approx(100)
    assert found["energy_interval_s"] == pytest.approx(0.2)
    assert energy_counter([(0.0, 100.0)])["energy_power_w"] is None


def job(error, **changed):
    base = {"network": "googlenet", "precision": "fp32", "batch_size": 1, "benchmark": True, "deterministic": False}
    return {**base, "parity_error": error, **changed}


def test_worst_names_the_largest_error_and_a_failure_holds_no_limit():
    rows = parity.worst([job(1e-6), job(2e-4, network="inception_v4", batch_size=128), job(3e-6, benchmark=False)])
    assert [(row["benchmark"], row["parity_error"], row["holds"]) for row in rows] == [
        (True, 2e-4, False),
        (False, 3e-6, True),
    ]
    assert rows[0]["network"] == "inception_v4"
    assert rows[0]["batch_size"] == 128
    failed = parity.worst([job(1e-6), job(None)])[0]
    assert failed["failed"] == 1
    assert failed["holds"] is False


def test_jobs_cover_both_choices_and_the_valuable_come_first():
    nine = networks.names(small=False)
    assert len(nine) == 9
    precisions = ("fp32", "fp16", "tf32", "bf16")
    heuristic, search = (parity_worker.jobs_of(role, nine, (1, 128, 8), precisions) for role in parity.ROLES)
    for found in (heuristic, search):
        assert len(set(found)) == len(found)
        assert {(j.network, j.batch_size) for j in found if j.precision == "fp32" and not j.deterministic} == {
            (name, size) for name in nine for size in (1, 8, 128)
        }
        assert {j.precision for j in found} == set(precisions)
    assert [(j.network, j.batch_size) for j in search[:2]] == [("inception_v3", 1), ("inception_v3", 128)]
    assert not any(j.benchmark for j in heuristic)
    assert all(j.benchmark for j in search)


def test_least_spread_is_the_packages():
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(0)).double().numpy()
    assert networks.least_spread(logits) == least_spread(logits)


def test_json_knows_no_infinity(tmp_path):
    assert finite({"a": [float("nan"), 1.0], 128: float("inf")}) == {"a": [None, 1.0], "128": None}
    write_json(tmp_path / "x.json", {"rate": float("inf")})
    assert json.loads((tmp_path / "x.json").read_text()) == {"rate": None}


class Event:
    """A CUDA event of a card on which all between two events takes six milliseconds."""

    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        pass

    def elapsed_time(self, end):
        return 6.0


@pytest.fixture
def card(monkeypatch):
    """A device that takes every CUDA branch, on tensors of the CPU."""
    properties = SimpleNamespace(
        name="NVIDIA H100 80GB HBM3", major=9, minor=0, multi_processor_count=132, uuid=object()
    )
    for name, stub in {
        "synchronize": lambda: None,
        "Event": Event,
        "_sleep": lambda cycles: None,
        "get_device_properties": lambda index: properties,
        "mem_get_info": lambda: (80 * 10**9, 85 * 10**9),
        "is_bf16_supported": lambda: True,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    device = Device("cuda")
    device.kind = "cpu"
    yield device
    Device("cpu").allow()


def test_device_time_is_milliseconds_over_calls(card):
    assert card.seconds(lambda: None, 3) == pytest.approx(0.002)
    assert card.host_and_device_s(lambda: None)[1] == pytest.approx(0.006)
    measured = card.measure(lambda: None, window_s=0.03)
    assert measured["calls"] == 5  # 0.03 / 0.006
    assert measured["median_s"] == pytest.approx(0.0012)


def test_cuda_branches_of_ceilings(card, monkeypatch, tmp_path):
    monkeypatch.setattr(ceilings, "Device", lambda kind: card)
    progress = Progress(Task("ceilings", "cuda", True, str(tmp_path)))
    ceilings.run(Task("ceilings", "cuda", True, str(tmp_path)), soft(60), progress)
    value = progress.value
    assert not [
        entry for kind in ("copy", "matrix_product", "convolution") for entry in value[kind] if "error" in entry
    ]
    tf32 = next(entry for entry in value["matrix_product"] if entry["precision"] == "tf32")
    # One call in 6 ms makes a window of one call: 16,777,216 / 0.006
    assert tf32["macs_s"] == pytest.approx(2_796_202_667, rel=1e-6)
    assert value["launch"]["empty_kernel_device_s"]["calls"] == 1
    assert set(value["best"]["convolution"]) == {"fp32", "tf32", "bf16", "fp16"}


def test_cuda_facts_that_are_missing_are_none(card):
    facts = _gpu()
    assert facts["multi_processor_count"] == 132
    assert facts["L2_cache_size"] is None
    assert facts["memory_free_bytes"] == 80 * 10**9
    json.dumps(facts)


def test_table_of_an_answer_that_was_cut_short():
    answer = {
        "device": "cuda",
        "small": False,
        "wall_s": 3.0,
        "sections": {"ceilings": {"error": "killed", "partial": {}}},
    }
    assert table_lines(answer)[1:] == ["ceilings: 0.0 s  ERROR killed", "  (no more to show: KeyError 'best')"]
