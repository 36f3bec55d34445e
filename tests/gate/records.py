"""Stored runs made by hand: two networks on two runtimes, every figure written here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inception_bench.records.journal import FILE, Journal
from inception_bench.records.record import Record, Run
from inception_bench.spec.case import Case

ENVIRONMENT = {
    "cpu": "A CPU", "architecture": "x86_64", "logical_cores": 2, "usable_cores": 2, "memory_bytes": 2**34,
    "gpu": None, "system": "Linux", "governor": None, "python": "3.11", "packages": {"torch": "2.13.0"},
    "thread_variables": {}, "source_hash": "aa", "git_revision": None,
}  # fmt: skip
CASES = [
    Case(model, "", backend, "cpu", "fp32", 1, 224, 1.0, 1000, 2)
    for model in ("googlenet", "inception_v3")
    for backend in ("eager", "onnxruntime")
]
ROUNDS = 64


def rounds(seconds: float, reference: float) -> dict[str, Any]:
    """Equal rounds: every ratio is ``reference / seconds``."""
    return {
        "candidate_s": [seconds] * ROUNDS, "reference_s": [reference] * ROUNDS, "reference_first": [True] * ROUNDS,
        "candidate_preempted": [0] * ROUNDS, "reference_preempted": [0] * ROUNDS,
    }  # fmt: skip


def body(case: Case) -> dict[str, Any]:
    """Eager against eager is 2 % apart in GoogLeNet and equal in Inception-v3; ONNX Runtime is twice as fast."""
    seconds = {"onnxruntime": 0.010, "eager": 0.0196 if case.model == "googlenet" else 0.020}[case.backend]
    return {
        "outcome": "ok", "stage": "time", "reason": "", "weights": "signal-keeping", "rounds": rounds(seconds, 0.020),
        "peak_rss_bytes": 10**8, "first_call_s": 0.5, "artifact": {"size_bytes": 10**6, "build_s": 3.0, "digest": "d"},
        "parity": {"error": 1e-6, "limit": 1e-4},
        "attest": {
            "engine": case.backend, "engine_version": "1.0", "device": "cpu", "precision": "fp32", "threads": 2,
            "batch_norms_left": 0, "tf32": None, "graph_breaks": None, "nodes_elsewhere": None, "note": "",
        },
    }  # fmt: skip


Change = Callable[[list[dict[str, Any]]], Any]


def write_run(folder: Path, change: Change | None = None, cases: list[Case] = CASES) -> Path:
    """A results folder; ``change`` may alter the records, as plain JSON values in the order of ``cases``."""
    run = Run(f"run-{folder.name}", "2026-01-01T00:00:00+00:00", "quick", copy.deepcopy(ENVIRONMENT))
    made = [Record("cell", run, case.to_json(), 100, 200, body(case)).to_json() for case in cases]
    made = copy.deepcopy(made)  # the records of a run share its environment, here each has its own
    if change is not None:
        change(made)
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / FILE)
    for record in made:
        journal.append(Record.from_json(record))
    return folder
