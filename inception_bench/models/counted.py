"""What public counters say of a network. Imports no torch: whoever reads a record needs it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from inception_bench.store.known import known_fields


@dataclass(frozen=True)
class Counted:
    """Params by ``numel``, multiply-accumulates for one image; ``other_by_row`` is all else that fvcore counts.

    Without fvcore (a GPU host of its own make) its figures are None and empty: FlopCounterMode counts alone.
    ``params_with_aux`` is None for a network without aux heads.
    """

    params: int
    macs_fvcore: int | None
    macs_flop_counter: int
    other_by_row: Mapping[str, int]
    params_with_aux: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; a network without aux heads has no params with them."""
        made = asdict(self)
        if self.params_with_aux is None:
            del made["params_with_aux"]
        return made

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counted:
        """What ``to_json`` gave. Raises TypeError for anything else."""
        return cls(**known_fields(cls, data))
