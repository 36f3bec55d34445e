"""The options that choose cells, which all commands of the gate share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inception_bench.spec.case import Case


@dataclass(frozen=True)
class Lists:
    """The options that choose cells, as they were written."""

    models: str | None
    backends: str | None
    device: str | None
    precisions: str | None
    batch_sizes: str | None
    input_sizes: str | None
    width_mults: str | None
    threads: str | None

    def cases(self) -> tuple[Case, ...]:
        """The cells. Raises UsageError."""
        from inception_bench.measure.selection import Request, select

        given = {**vars(self), "backends": self.backends or "onnxruntime"}
        return select(Request(profile="smoke", **given)).cases
