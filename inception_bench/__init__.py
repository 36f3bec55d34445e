"""Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast.

The names below load what they need when they are first called: importing this package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inception_bench.models.catalogue import list_models
    from inception_bench.models.complexity import complexity
    from inception_bench.models.network import create_model

__version__ = "0.1.0"
__all__ = ["complexity", "create_model", "list_models"]

_HOMES = {
    "list_models": "inception_bench.models.catalogue",
    "complexity": "inception_bench.models.complexity",
    "create_model": "inception_bench.models.network",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inception_bench' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
