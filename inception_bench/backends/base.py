"""What a runtime must offer. Standard library and NumPy only: a worker may be another interpreter."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Setup:
    """How a session is to run. ``threads`` is the number of threads inside one operation."""

    device: str
    precision: str
    threads: int
    batch_size: int
    input_size: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attestation:
    """What a session says about how it really runs; unknown is None.

    ``precision`` is that of the convolutions, read from what was built, not from what was asked;
    ``batch_norms_left`` counts the normalisations that were not folded into convolutions.
    """

    engine: str
    engine_version: str
    device: str
    precision: str
    threads: int
    batch_norms_left: int | None = None
    tf32: bool | None = None
    graph_breaks: int | None = None
    nodes_elsewhere: int | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def differences(self, setup: Setup) -> list[str]:
        """Where asked and effective differ; empty when the label is true."""
        asked = {"device": setup.device, "precision": setup.precision, "threads": setup.threads}
        effective = {"device": self.device, "precision": self.precision, "threads": self.threads}
        return [
            f"{key}: asked {asked[key]}, effective {effective[key]}" for key in asked if asked[key] != effective[key]
        ]


class Session(Protocol):
    """A network, ready to run in this process.

    ``put`` moves a batch (N, 3, H, W) of float32 to the device, outside the clock; ``run`` takes
    what ``put`` gave and may return before the work is done; after ``synchronize`` it is done;
    ``fetch`` gives logits (N, classes) as float32.
    """

    def put(self, batch: np.ndarray) -> Any: ...
    def run(self, batch: Any) -> Any: ...
    def synchronize(self) -> None: ...
    def fetch(self, output: Any) -> np.ndarray: ...
    def attest(self) -> Attestation: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Network:
    """What a backend builds from: the module with its weights, in evaluation mode, and an input."""

    module: nn.Module
    example: Tensor
    precision: str


class Backend(Protocol):
    """A runtime, as a table entry: what it needs, what it can, and how it loads.

    ``modules`` are imported in the worker; ``distributions`` are the packages whose versions decide
    whether an artifact is still good; ``install`` is the command that brings what is missing.
    ``load`` gets the artifact's folder, or that of the weights where the backend exports nothing.
    """

    name: str
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    install: str
    devices: tuple[str, ...]
    precisions: tuple[str, ...]

    def load(self, folder: Path, setup: Setup) -> Session: ...


@runtime_checkable
class Exporter(Protocol):
    """A backend that first builds an artifact, in a process that has torch and ``build_modules``."""

    build_modules: tuple[str, ...]

    def build(self, network: Network, folder: Path) -> None: ...
