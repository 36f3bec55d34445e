"""Benchmarks of the Inception family: which network, on which runtime, how accurate, how fast.

The names below load what they need when they are first called: importing this package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inception_bench.models.changes import Changes
    from inception_bench.models.complexity import complexity
    from inception_bench.models.modules import create_module, list_modules, module_cost
    from inception_bench.models.public import create_model, list_definitions, list_models
    from inception_bench.models.weights.checkpoint import load_checkpoint

__version__ = "0.1.0"
__all__ = [
    "Changes",
    "complexity",
    "create_model",
    "create_module",
    "list_definitions",
    "list_models",
    "list_modules",
    "load_checkpoint",
    "module_cost",
]

_HOMES = {
    "Changes": "inception_bench.models.changes",
    "complexity": "inception_bench.models.complexity",
    "create_model": "inception_bench.models.public",
    "create_module": "inception_bench.models.modules",
    "list_definitions": "inception_bench.models.public",
    "list_models": "inception_bench.models.public",
    "list_modules": "inception_bench.models.modules",
    "load_checkpoint": "inception_bench.models.weights.checkpoint",
    "module_cost": "inception_bench.models.modules",
}

if not TYPE_CHECKING:  # a checker that saw this function would take a misspelt name for one of any type

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'inception_bench' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
