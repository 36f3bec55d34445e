#!/usr/bin/env python3
"""What a GPU can do, in one short run: the facts that a benchmark's design and its judgement of cells rest on.

    python scripts/gpu_probe.py -o probe.json                              # on a GPU, at most 80 s
    python scripts/gpu_probe.py --device cpu --small -o probe.json         # a dry run of the same code

Writes one JSON file, whole again after each section, and prints a short table last. Sections: machine, ceilings,
parity, alternating, first_calls. Each is a process group that is killed when its time is over; what it had by then
stays under "partial". It changes no setting of a card. Exit code 0 where every section is whole, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from probe.table import table_lines
from probe.task import (
    Child,
    Deadline,
    Progress,
    Task,
    limit_own_life,
    read_answer,
    soft,
    wait_for_line,
    words,
    write_json,
)

# In this order, with the share of the time that is left when a section begins: what one does not need, the next has.
SECTIONS = {"machine": 8, "ceilings": 15, "parity": 40, "alternating": 12, "first_calls": 25}
# Sections that work through processes of their own, and import no torch themselves.
LEADERS = ("parity", "alternating", "first_calls")
# Where a section's helpers find their work.
HELPERS = {"parity": "probe.parity_worker", "alternating": "probe.alternating", "first_calls": "probe.first_calls"}
STARTING_SHARE = 0.35  # of all time, for importing: a cold disk may need a while
RESERVED_S = 1.5  # for killing and writing
SCHEMA = "gpu_probe/1"


def main() -> int:
    """The command line; or, with ``--task``, one of the processes that it started."""
    options = _options()
    if options.task:
        return run_task(Task(**json.loads(options.task)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the processes below are ended, too
    folder = tempfile.mkdtemp(prefix="gpu_probe.")
    try:
        answer = Probe(options, folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(table_lines(answer)))
    return 1 if any("error" in section for section in answer["sections"].values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("probe.json"), help="the JSON file")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes, two networks: a dry run")
    parser.add_argument("--seconds", type=float, default=80.0, help="of all sections together, with starting")
    parser.add_argument("--sections", default=",".join(SECTIONS), help="which, with commas between")
    parser.add_argument("--limit", action="append", default=[], metavar="SECTION=SECONDS", help="the most for one")
    parser.add_argument("--compile", action="store_true", help="first_calls compiles in a dry run, too")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.sections = [name for name in options.sections.split(",") if name]
    options.limits = {name: float(seconds) for name, _, seconds in (entry.partition("=") for entry in options.limit)}
    for name in (*options.sections, *options.limits):
        if name not in SECTIONS:
            parser.error(f"{name!r} is no section; there are {', '.join(SECTIONS)}")
    return options


class Probe:
    """Starts all sections, lets them go one by one, and writes what they say."""

    def __init__(self, options: argparse.Namespace, folder: str):
        self._deadline = Deadline(options.seconds - RESERVED_S)
        self._options = options
        compiles = options.compile or not options.small
        self._tasks = {name: Task(name, options.device, options.small, folder, compile=compiles) for name in SECTIONS}
        self._answer: dict[str, Any] = {
            "schema": SCHEMA,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": sys.argv[1:],
            "device": options.device,
            "small": options.small,
            "finished": False,
            "sections": {},
        }

    def run(self) -> dict[str, Any]:
        wanted = [name for name in SECTIONS if name in self._options.sections]
        children = {name: Child(self._tasks[name], group=True) for name in wanted}
        try:
            for number, name in enumerate(wanted):
                self._answer["sections"][name] = self._section(children[name], wanted[number:])
                self._write()
                print(f"{name}: {self._answer['sections'][name].get('error', 'done')}", file=sys.stderr, flush=True)
        finally:
            for child in children.values():
                child.kill()
        self._answer["finished"] = True
        self._write()
        return self._answer

    def _write(self) -> None:
        self._answer["wall_s"] = self._deadline.spent()
        write_json(self._options.output, self._answer)

    def _section(self, child: Child, still: list[str]) -> dict[str, Any]:
        """Let one section go, for its share of what is left; its answer, or why there is none."""
        name = child.task.section
        problem = child.await_ready(min(self._options.seconds * STARTING_SHARE, self._deadline.left()))
        if problem is not None:
            child.kill()
            return {"error": problem}
        budget = self._deadline.left() * SECTIONS[name] / sum(SECTIONS[other] for other in still)
        budget = max(min(budget, self._options.limits.get(name, budget)), 0.0)
        spent = Deadline(budget)
        child.tell(budget_s=budget)
        ended = child.ended(budget)
        child.kill()  # helpers that it left, too
        value = read_answer(child.task)
        about = {"budget_s": budget, "wall_s": spent.spent()}
        if not ended:
            return {"error": f"not done within {budget:.1f} s; killed", **about, "partial": value}
        if child.process.returncode or "error" in value:
            why = value.pop("error", None) or f"code {child.process.returncode}: {child.log_tail()}"
            return {"error": why, **about, "partial": value}
        return {**about, **value}


def run_task(task: Task) -> int:
    """A started process: import, say so, wait for the word, work, write."""
    progress = Progress(task)
    try:
        if task.role:
            work = import_module(HELPERS[task.section]).work
            task.ready.touch()
            work(task, progress)
        else:
            _lead(task, progress)
    except Exception as error:
        progress.value["error"] = words(error)
        progress.save()
        raise
    progress.save()
    return 0


def _lead(task: Task, progress: Progress) -> None:
    module = import_module(f"probe.{task.section}")
    helpers = [module.start(task)] if task.section in LEADERS else []
    task.ready.touch()
    budget_s = wait_for_line()["budget_s"]
    limit_own_life(budget_s)
    module.run(task, soft(budget_s), progress, *helpers)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # A process whose driver hangs must not wait for its own tidying up.
    os._exit(code)
