"""A fact: one figure or word in which two records of one thing differ, and whether the second is worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REGRESSION, IMPROVEMENT, CHANGE = "regression", "improvement", "change"


@dataclass(frozen=True)
class Fact:
    """One figure or word that differs. ``rating`` is regression, improvement or change; ``why``: the rule."""

    name: str
    before: Any
    after: Any
    rating: str
    why: str = ""

    @property
    def text(self) -> str:
        return f"{self.name} {_show(self.before)} -> {_show(self.after)}" + (f" ({self.why})" if self.why else "")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the rating's key is ``kind``, as readers of ``compare --json`` know it."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "kind": self.rating,
            "why": self.why,
        }


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
