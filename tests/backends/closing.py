"""A process that loads a session and closes it twice."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from inception_bench.backends.base import Setup
from inception_bench.processes.service import Answer, serve


def close_twice(message: dict[str, Any]) -> Answer:
    module, _, attribute = message["backend"].partition(":")
    session = getattr(import_module(module), attribute).load(Path(message["folder"]), Setup(**message["setup"]))
    session.close()
    session.close()
    return {"closed": 2}, []


if __name__ == "__main__":
    serve({"close_twice": close_twice})
