"""The loop of a process that answers the coordinator. Standard library and NumPy only."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from inception_bench.processes import wire

Answer = tuple[dict[str, Any], list[np.ndarray]]
Handler = Callable[[dict[str, Any]], Answer]

_PR_SET_PDEATHSIG = 1
# torch's words for an operator that it lacks in a precision, such as the average in LRN in 16 bits on a CPU.
_LACKING = re.compile(r"\"[^\"]+\" not implemented for '(BFloat16|Half)'")
_LONGEST_ACCOUNT = 500


class Unavailable(Exception):
    """An engine cannot do what was asked here; the text says why and what would make it possible."""


def serve(handlers: Mapping[str, Handler]) -> None:
    """Answer messages until the coordinator closes the connection.

    An error inside a handler becomes an answer; only the end of the process ends the loop.
    """
    _die_with_parent()
    requests, answers = sys.stdin.buffer, _private_stdout()
    while True:
        try:
            header, _ = wire.receive(requests)
        except EOFError:
            return
        try:
            reply, arrays = handlers[header["op"]](header)
        except Unavailable as reason:
            reply, arrays = {"unavailable": str(reason)}, []
        except Exception as error:
            lacking = _LACKING.search(str(error))
            if lacking:
                reply, arrays = {"unavailable": f"the engine lacks an operator in this precision: {lacking[0]}"}, []
            else:
                traceback.print_exc(file=sys.stderr)
                reply, arrays = {"error": account(error)}, []
        wire.send(answers, reply, arrays)


def account(error: Exception) -> str:
    """An error in one line of words; of one about a device's memory only how much was asked for.

    Engines write pages; the whole of it stands in stderr.
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if "out of memory" not in text.lower():
        return text if len(text) <= _LONGEST_ACCOUNT else text[:_LONGEST_ACCOUNT] + "…"
    asked = re.search(r"(?:asked|allocate) ([\d.]+ [KMGT]i?B)", text)
    return f"out of memory (asked {asked[1]})" if asked else f"out of memory: {text}"


def _private_stdout() -> wire.Writer:
    """Keep the pipe for messages, and send whatever an engine prints to stderr instead."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _die_with_parent() -> None:
    """A coordinator that is killed leaves no process behind, not even one that is inside a call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
