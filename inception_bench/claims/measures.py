"""The table of measures: a name in the ledger, a pure function over the package's tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from inception_bench.claims.claim import Claim

Figures = tuple[float, ...]
# The modules that hold measures, by what they measure.
MODULES = ("networks", "branches", "printed_lines", "tutorials", "googlenet", "bn_inception", "rethinking", "losses")

MEASURES: dict[str, Callable[..., Figures]] = {}


def measure(function: Callable[..., Figures]) -> Callable[..., Figures]:
    """Enter a function into the table under its own name; the ledger gives its keywords under ``with``."""
    if function.__name__ in MEASURES:
        raise ValueError(f"two measures are called {function.__name__}")
    MEASURES[function.__name__] = function
    return function


@cache
def all_measures() -> dict[str, Callable[..., Figures]]:
    """Every measure of an exact claim by name."""
    for module in MODULES:
        import_module(f"inception_bench.claims.{module}")
    return MEASURES


def compute(claim: Claim) -> Figures:
    """The figures of an exact claim, computed now by its measure."""
    return tuple(float(figure) for figure in all_measures()[claim.measure](**claim.arguments))
