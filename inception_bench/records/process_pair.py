"""What a duet measures: raw blocks of four rounds by two processes, in seconds by the workers' own clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ORDERS = ("ABBA", "BAAB")


@dataclass(frozen=True)
class Block:
    """Two rounds of each side, in ABBA or BAAB order: a linear drift of the machine cancels in their ratio."""

    order: str
    a_s: tuple[float, float]
    b_s: tuple[float, float]


@dataclass(frozen=True)
class ProcessPair:
    """One process of each side, alive together, and their blocks. ``start_s`` is the seconds until both were warm.

    ``busy_share`` is the injected slow-down that each worker reported, as a share of the time, 0 to 1: 0 except in
    trials of the gate's power. ``preempted`` counts how often the kernel interrupted each side. ``cores`` are the only
    cores on which both ran; empty where they were not bound. ``at_once`` is how many pairs were timed at the same time;
    ``others_cores`` is how many cores' worth of time other programs used while the pair started.
    """

    start_s: float
    blocks: tuple[Block, ...]
    busy_share: Mapping[str, float]
    preempted: Mapping[str, int]
    cores: tuple[int, ...] = ()
    at_once: int = 1
    others_cores: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ProcessPair:
        blocks = tuple(Block(block["order"], tuple(block["a_s"]), tuple(block["b_s"])) for block in data["blocks"])
        return cls(**{**data, "blocks": blocks, "cores": tuple(data.get("cores", ()))})


def blocks_of(pairs: Sequence[ProcessPair]) -> list[tuple[Block, ...]]:
    """The blocks of each pair, of which ``records.estimate`` makes the effect."""
    return [pair.blocks for pair in pairs]


def rounds_of(pairs: Sequence[ProcessPair], side: str) -> list[float]:
    """All rounds of ``a`` or ``b`` in the order of measuring."""
    return [seconds for pair in pairs for block in pair.blocks for seconds in getattr(block, f"{side}_s")]
