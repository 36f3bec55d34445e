"""Section ``parity``: how far eager on the GPU is from float64, by network, precision, batch and cuDNN's search.

It decides which limit a GPU's cells can hold. Within one process cuDNN's plans are kept by shape whichever way
they were chosen: a search after a heuristic choice would search nothing. So the two ways are two processes, one
after the other (``heuristic`` first, which is quick; then ``search``), while both prepare networks on the CPU.
"""

from __future__ import annotations

from typing import Any

from inception_bench.measure import parity
from probe.task import Child, Deadline, Progress, Task, read_answer

ROLES = ("heuristic", "search")
# Of the time that is left. Searching takes seconds a network and batch, choosing by rule a fraction of one.
HEURISTIC_SHARE = 0.42
# bf16 has none of its own: a cell measures it a network.
LIMITS: dict[str, float | None] = {**parity.LIMITS, "bf16": None}
POLL_S = 0.1


def start(task: Task) -> list[Child]:
    """The two processes, importing already."""
    return [Child(task.as_role(role), group=False) for role in ROLES]


def run(task: Task, deadline: Deadline, progress: Progress, children: list[Child]) -> None:
    """Let the one work, then the other; what either has written is part of the answer at once."""
    by_role = dict(zip(ROLES, children, strict=True))
    by_role["search"].tell(prepare=True)
    for role, share in zip(ROLES, (HEURISTIC_SHARE, 1.0), strict=True):
        child = by_role[role]
        budget = deadline.left() * share
        child.tell(budget_s=budget)
        limit = Deadline(budget + 1.0)
        while not child.ended(POLL_S) and limit.left() > 0:
            _collect(progress, by_role)
        if child.process.poll() is None:
            child.kill()
            progress.value.setdefault("errors", {})[role] = f"did not end within {limit.budget_s:.1f} s"
        elif child.process.returncode:
            progress.value.setdefault("errors", {})[role] = child.log_tail()
        _collect(progress, by_role)
    errors = progress.value.get("errors", {})
    if not any(job.get("parity_error") is not None for job in progress.value["jobs"]):
        progress.value["error"] = "nothing was compared: " + "; ".join(errors.values())


def _collect(progress: Progress, by_role: dict[str, Child]) -> None:
    answers = {role: read_answer(child.task) for role, child in by_role.items()}
    jobs = [job for answer in answers.values() for job in answer.get("jobs", ())]
    progress.value.update(
        limits=LIMITS,
        jobs=jobs,
        left_out={role: answer.get("left_out", ["everything"]) for role, answer in answers.items()},
        networks={name: facts for answer in answers.values() for name, facts in answer.get("networks", {}).items()},
        reference_check=answers["heuristic"].get("reference_check"),
        kernels=answers["search"].get("kernels", []),
        failures=[failure for answer in answers.values() for failure in answer.get("failures", ())],
        worst=worst(jobs),
    )
    progress.save()


def worst(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By precision and choice: of how many jobs the largest error, whose it is, and whether the limit holds."""
    groups: dict[tuple[str, bool, bool], list[dict[str, Any]]] = {}
    for job in jobs:
        groups.setdefault((job["precision"], job["benchmark"], job["deterministic"]), []).append(job)
    found = []
    for (precision, benchmark, deterministic), entries in groups.items():
        measured = [job for job in entries if job.get("parity_error") is not None]
        most = max(measured, key=lambda job: job["parity_error"], default=None)
        limit = LIMITS[precision]
        holds = limit is None or (len(measured) == len(entries) and most is not None and most["parity_error"] <= limit)
        found.append(
            {
                "precision": precision,
                "benchmark": benchmark,
                "deterministic": deterministic,
                "jobs": len(entries),
                "failed": len(entries) - len(measured),
                "parity_error": None if most is None else most["parity_error"],
                "network": None if most is None else most["network"],
                "batch_size": None if most is None else most["batch_size"],
                "limit": limit,
                "holds": None if limit is None else holds,
            }
        )
    return found
