"""What a runtime must offer. Standard library and NumPy only: a worker may be another interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Setup:
    """How a session is to run. ``threads`` is the number of threads inside one operation.

    With ``rows`` a backend that loads the weights themselves answers with every end point's map, flat and
    side by side, in place of the logits; where a backend exports, its export does so already.
    """

    device: str
    precision: str
    threads: int
    batch_size: int
    input_size: int
    options: Mapping[str, str] = field(default_factory=dict)
    rows: bool = False


# A precision, or one of several joined by "+", that an engine does not show.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Attestation:
    """What a session says about how it really runs; unknown is None.

    ``precision`` is that of the convolutions, read from what was built, not from what was asked; UNKNOWN where the
    engine does not show it, which is no difference but marks the row, and ``note`` then says it.
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
        if set(self.precision.split("+")) <= {setup.precision, UNKNOWN}:
            effective["precision"] = setup.precision  # all of it that could be read
        return [
            f"{key}: asked {asked[key]}, effective {effective[key]}" for key in asked if asked[key] != effective[key]
        ]


class Session(Protocol):
    """A network, ready to run in this process.

    ``put`` moves a batch (N, 3, H, W) of float32 to the device, outside the clock; ``run`` takes
    what ``put`` gave and may return before the work is done; after ``synchronize`` it is done;
    ``fetch`` gives logits (N, classes) as float32. A batch of another shape than the session was set
    up for is answered right or refused with an error, never answered wrong. ``close`` may be called twice.

    Three attributes are optional, for devices: ``device_clock`` (a DeviceClock), ``device_memory()``, the
    engine's own statement of its memory, as named byte counts, and ``reset_device_peak()``, called once before the
    timed rounds, from which on such a statement's peaks are counted.
    """

    def put(self, batch: np.ndarray) -> Any: ...
    def run(self, batch: Any) -> Any: ...
    def synchronize(self) -> None: ...
    def fetch(self, output: Any) -> np.ndarray: ...
    def attest(self) -> Attestation: ...
    def close(self) -> None: ...


class DeviceClock(Protocol):
    """Marks on the stream of a session's device; ``seconds`` between them, once it is synchronised."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def seconds(self) -> float: ...


@dataclass(frozen=True)
class Network:
    """What a backend builds from: the module with its weights, float32 on the CPU, in evaluation mode, and an input.

    The backend casts it to ``precision`` before it exports, so that what it builds carries the precision.
    """

    module: nn.Module
    example: Tensor
    precision: str
    device: str = "cpu"
    options: Mapping[str, str] = field(default_factory=dict)


class Backend(Protocol):
    """A runtime, as a table entry: what it needs, what it can, and how it loads.

    ``modules`` are imported in the worker; ``distributions`` are the packages whose versions decide
    whether an artifact is still good; ``install`` is the command that brings what is missing.
    ``precisions`` says for each device that the engine knows which precisions it has there.
    ``load`` gets the artifact's folder, or that of the weights where the backend exports nothing.

    Optional attributes: ``options`` (name to possible values, the default first) and
    ``refuses(device, precision)``, asked in the worker: why this machine cannot, or None.
    """

    name: str
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    install: str
    precisions: Mapping[str, tuple[str, ...]]

    def load(self, folder: Path, setup: Setup) -> Session: ...


@runtime_checkable
class Exporter(Protocol):
    """A backend that first builds an artifact, in a process that has torch and ``build_modules``.

    With an attribute ``graph`` (a name) the artifact is shared by all backends of that name whose
    ``build`` is the same function; then ``build_distributions`` decide whether it is still good.
    """

    build_modules: tuple[str, ...]

    def build(self, network: Network, folder: Path) -> None: ...


@runtime_checkable
class Compiler(Protocol):
    """A backend whose engine makes an engine file of the exported graph, by its own interpreter, on its own device.

    ``compile`` reads the exported artifact in ``graph`` and writes what ``load`` takes into ``folder``.
    """

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None: ...
