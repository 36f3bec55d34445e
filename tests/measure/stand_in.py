"""A worker that stands for one of another revision. ``STAND_IN`` holds its words as JSON.

``answers``: what it answers to each verb beyond the usual. ``lacks``: a word that it never says. ``log``: a file that
gets a line for each question, which begins with ``name``. ``meets``: a named pipe and how to open it, for ``warm_up``,
which then takes until somebody opens the other end.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from inception_bench.processes.service import Answer, serve

GIVEN = json.loads(os.environ["STAND_IN"])
USUAL: dict[str, dict[str, Any]] = {
    "start": {"python": "3.9.1", "pid": 7},
    "load": {"load_s": 1.0, "modules": []},
    "first": {"first_call_s": 2.0},
    "attest": {"attest": {"device": "cpu"}, "differences": []},
    "logits": {},
    "warm_up": {"seconds": [3.0]},
    "begin": {"peak_rss_since_start_bytes": 5, "peak_was_reset": True},
    "round": {"seconds": 0.5, "preempted": 1},
    "refusals": {"refusals": {}},
}


def answer(message: dict[str, Any]) -> Answer:
    """The words for a verb, once the question is in the log."""
    verb = message["op"]
    if "log" in GIVEN:
        with Path(GIVEN["log"]).open("a") as log:
            log.write(f"{GIVEN['name']} {verb} {json.dumps(message)}\n")
    if verb == "warm_up" and "meets" in GIVEN:
        path, flags = GIVEN["meets"]
        os.close(os.open(path, flags))
    arrays = [np.zeros((1, 2), np.float32)] if verb == "logits" else []
    said = {**USUAL[verb], **GIVEN.get("answers", {}).get(verb, {})}
    said.pop(GIVEN.get("lacks"), None)
    return said, arrays


if __name__ == "__main__":
    serve(dict.fromkeys(USUAL, answer))
