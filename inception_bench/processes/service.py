"""The loop of a process that replies to the coordinator. Standard library and NumPy only."""

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

# A reply: its fields, which must be JSON values, and its arrays.
Answer = tuple[dict[str, Any], list[np.ndarray]]
Handler = Callable[[dict[str, Any]], Answer]

_PR_SET_PDEATHSIG = 1
# torch's error where it lacks an operator in a precision, such as the average in LRN in 16 bits on a CPU.
_LACKING = re.compile(r"\"[^\"]+\" not implemented for '(BFloat16|Half)'")
_LONGEST_ACCOUNT = 500


class Unavailable(Exception):
    """An engine cannot do on this machine what was asked; the text says why, and what would make it possible."""


def serve(handlers: Mapping[str, Handler]) -> None:
    """Reply to messages until the coordinator closes the connection.

    ``handlers`` has a function for each verb. An exception inside a handler becomes a reply: Unavailable the reply
    ``unavailable``, any other exception the reply ``error``. Only the end of the process ends the loop early.
    """
    _die_with_parent()
    requests, replies = sys.stdin.buffer, _private_stdout()
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
        wire.send(replies, reply, arrays)


def account(error: Exception) -> str:
    """An error in one short line; where a device's memory ran out, only how much was asked for.

    Some engines' errors are pages long; the whole text is on stderr.
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if "out of memory" not in text.lower():
        return text if len(text) <= _LONGEST_ACCOUNT else text[:_LONGEST_ACCOUNT] + "…"
    asked = re.search(r"(?:asked|allocate) ([\d.]+ [KMGT]i?B)", text)
    return f"out of memory (asked {asked[1]})" if asked else f"out of memory: {text}"


def _private_stdout() -> wire.Writer:
    """The pipe of stdout, for messages alone: what an engine prints goes to stderr from now on."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _die_with_parent() -> None:
    """Have the kernel end this process when the coordinator ends, even where it was killed during a call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
