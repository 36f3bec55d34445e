"""Stored runs made by hand: two networks on two runtimes, every figure written here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import KINDS, read_record
from inception_bench.records.record import Record, Run
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

ENVIRONMENT = {
    "cpu": "A CPU", "architecture": "x86_64", "logical_cores": 2, "usable_cores": 2, "memory_bytes": 2**34,
    "gpu": None, "system": "Linux", "governor": None, "python": "3.11", "packages": {"torch": "2.13.0"},
    "thread_variables": {}, "source_hash": "aa", "git_revision": None,
}  # fmt: skip
CASES = [
    Case(NetworkSpec(model, "", 224, 1.0, 1000), Runtime(backend, "cpu", "fp32", 1, 2))
    for model in ("googlenet", "inception_v3")
    for backend in ("eager", "onnxruntime")
]
ROUNDS = 66
Change = Callable[[list[dict[str, Any]]], Any]


def rounds(seconds: float, reference: float) -> dict[str, Any]:
    """Equal rounds over three pairs of processes: every ratio is ``reference / seconds``."""
    return {
        "candidate_s": [seconds] * ROUNDS, "reference_s": [reference] * ROUNDS,
        "reference_first": [True, False] * (ROUNDS // 2), "candidate_preempted": [0] * ROUNDS,
        "reference_preempted": [0] * ROUNDS, "process_pair": [at // (ROUNDS // 3) for at in range(ROUNDS)],
    }  # fmt: skip


def parity(error: float | None, limit: float = 1e-4) -> dict[str, Any]:
    """A parity that no fault's effect was measured for."""
    by_rows = {"mutations": {}, "by": "rows", "row": "Logits"}
    return {"error": error, "limit": limit, "weakest_mutation": 1.0, "weakest_mutation_at": "kernel", **by_rows}


def body(case: Case) -> dict[str, Any]:
    """Eager against eager is 2 % apart in GoogLeNet and equal in Inception-v3; ONNX Runtime is twice as fast."""
    seconds = {"onnxruntime": 0.010, "eager": 0.0196 if case.network.model == "googlenet" else 0.020}[
        case.runtime.backend
    ]
    return {
        "outcome": "ok", "stage": "time", "reason": "", "weights": "signal-keeping", "rounds": rounds(seconds, 0.020),
        "peak_rss_bytes": 10**8, "first_call_s": 0.5, "artifact": {"size_bytes": 10**6, "build_s": 3.0, "digest": "d"},
        "parity": parity(1e-6),
        "attest": {
            "engine": case.runtime.backend, "engine_version": "1.0", "device": "cpu", "precision": "fp32", "threads": 2,
            "batch_norms_left": 0, "tf32": None, "graph_breaks": None, "nodes_elsewhere": None, "note": "",
        },
    }  # fmt: skip


def record(kind: str, run: Run, case: Case | None, costs: tuple[int | None, int | None], body: Any) -> Record[Any]:
    """A record of a body in JSON; ``costs`` are params and MACs."""
    return Record(kind, run, case, *costs, KINDS[kind].read(body))


def others(run: Run) -> list[Record[Any]]:
    """One record of each kind beside cells. Top-1 is 90 of 100, with its interval by hand as in ``test_compare``."""
    trained = CASES[0].with_network(weights="recipe:quick:0", data="digits")
    shares = {"top1": 0.90, "top1_ci95_low": 0.8256, "top1_ci95_high": 0.9448, "top5": 1.0, "test_images": 100}
    training = {
        "model": "googlenet",
        "recipe": "quick",
        "scale": "w1-224px",
        "dataset": "digits",
        "seed": 0,
        "epochs": 8.0,
        "train_s": 9.0,
        "images_s": 100.0,
        "checkpoint": "network",
        "outcome": "ok",
        "reason": "",
        "steps": 10,
        "validation_top1": 0.9,
        "digest": "d",
        "data_digest": "e",
        "log": "log.jsonl",
        **shares,
    }
    step = {"seconds": [0.1] * ROUNDS, "preempted": [0] * ROUNDS, "peak_was_reset": True, "aux": True}
    counters = {"params": 100, "macs_fvcore": 200, "macs_flop_counter": 200, "other_by_row": {"Logits": 1}}
    pair = {**body(CASES[1]), "pair": "two_3x3_for_5x5", "partner": CASES[3].to_json()}
    pair["partner_parity"] = parity(1e-6)
    claim = {"id": "G-01", "state": "measured", "figures": [_figure(12.0), _figure(2.5, 0.5)], "note": ""}
    return [
        record("training", run, trained, (100, 200), training),
        record("step", run, trained, (100, 200), step),
        record("complexity", run, CASES[0], (100, 200), counters),
        record("pair", run, CASES[1], (10, 20), pair),
        record("claim", run, None, (None, None), {**claim, "pairs": [], "courses": []}),
    ]


def _figure(value: float, spread: float = 0.0) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread}


def put(number: int, *path_and_value: Any) -> Change:
    """Set one value of a record: ``put(1, "body", "parity", "limit", 1.0)``."""
    *path, last, value = path_and_value

    def change(records: list[dict[str, Any]]) -> None:
        place: Any = records[number]
        for name in path:
            place = place[name]
        place[last] = value

    return change


def write_run(
    folder: Path,
    change: Change | None = None,
    cases: list[Case] = CASES,
    beside: Callable[[Run], list[Record[Any]]] = lambda run: [],
) -> Path:
    """A results folder; ``change`` may alter the records, as plain JSON values: ``cases`` in order, then ``beside``."""
    run = Run(f"run-{folder.name}", "2026-01-01T00:00:00+00:00", "quick", copy.deepcopy(ENVIRONMENT))
    cells = [record("cell", run, case, (100, 200), body(case)) for case in cases]
    made = [each.to_json() for each in (*cells, *beside(run))]
    made = copy.deepcopy(made)  # the records of a run share its environment, here each has its own
    if change is not None:
        change(made)
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / FILE)
    for each in made:
        journal.append(read_record(each))
    return folder
