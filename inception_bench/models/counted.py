"""What public counters say of a network. Imports no torch, because processes that only read records use it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.store.known import read_known


@dataclass(frozen=True)
class Counted:
    """``params`` by torch's ``numel``, and multiply-accumulates for one image by each of two public tools.

    ``other_by_row`` is by end point what fvcore counts for all other operators. Where fvcore is not installed,
    ``macs_fvcore`` is None and ``other_by_row`` is empty: FlopCounterMode counts alone.
    ``params_with_aux`` is None for a network without aux heads.
    """

    params: int
    macs_fvcore: int | None
    macs_flop_counter: int
    other_by_row: Mapping[str, int]
    params_with_aux: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``params_with_aux`` is left out for a network without aux heads."""
        values = asdict(self)
        if self.params_with_aux is None:
            del values["params_with_aux"]
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counted:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        return read_known(cls, data)
