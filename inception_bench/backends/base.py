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
    """How a session is to run.

    ``device`` is "cpu" or "cuda", ``threads`` the number of threads inside one operation, ``batch_size`` the images of
    a batch, ``input_size`` their height and width in pixels, ``options`` the backend's own options by name.

    With ``rows`` the network's output is not the logits (N, classes) but the maps of all its end points, flattened and
    joined to (N, all values). A backend that loads the weights must then arrange for that output; a backend that
    exports loads a file that was exported with it.
    """

    device: str
    precision: str
    threads: int
    batch_size: int
    input_size: int
    options: Mapping[str, str] = field(default_factory=dict)
    rows: bool = False


# Stands for a precision that an engine does not show; it may be joined by "+" to precisions that the engine shows.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Attestation:
    """What a session says about how it really runs; a field that the engine does not tell is None.

    ``precision`` is that of the convolutions, read from what was built and not from what was asked; several are joined
    by "+". It is UNKNOWN where the engine does not show it: that does not count as a difference from what was asked,
    but the board marks the cell, and ``note`` says what could not be read. ``batch_norms_left`` counts the batch
    normalisations that were not folded into convolutions, ``graph_breaks`` the places where a compiler fell back to
    Python, ``nodes_elsewhere`` the operators that run on another device. ``tf32`` says whether TF32 was allowed.
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
        """A text for each of device, precision and threads that is not as asked; empty when all are."""
        asked = {"device": setup.device, "precision": setup.precision, "threads": setup.threads}
        effective = {"device": self.device, "precision": self.precision, "threads": self.threads}
        if set(self.precision.split("+")) <= {setup.precision, UNKNOWN}:
            effective["precision"] = setup.precision  # every precision that could be read is the one asked for
        return [
            f"{key}: asked {asked[key]}, effective {effective[key]}" for key in asked if asked[key] != effective[key]
        ]


class Session(Protocol):
    """A network, ready to run in this process.

    ``put`` moves a batch (N, 3, H, W) of float32 to the device and is not timed. ``run`` takes what ``put`` returned
    and may return before the work is done; when ``synchronize`` returns, the work is done. ``fetch`` takes what ``run``
    returned and gives the logits (N, classes) as float32 in the host's memory. ``close`` may be called twice.

    For a batch of another shape than the session was set up for, ``put`` or ``run`` either does the right work or
    raises an exception; wrong logits are never returned. Any exception of a session's method ends the cell as
    ``failed``; only ``Unavailable`` (of ``processes.service``) ends the cell as ``unavailable``, and says that the
    engine cannot do on this machine what was asked.

    Three attributes are optional, for sessions on a GPU: ``device_clock`` (a DeviceClock); ``device_memory()``, the
    engine's own statement of its memory, in bytes by name; ``reset_device_peak()``, called once before the timed
    rounds, after which the peaks in that statement are counted anew.
    """

    def put(self, batch: np.ndarray) -> Any: ...
    def run(self, batch: Any) -> Any: ...
    def synchronize(self) -> None: ...
    def fetch(self, output: Any) -> np.ndarray: ...
    def attest(self) -> Attestation: ...
    def close(self) -> None: ...


class DeviceClock(Protocol):
    """Measures the time between ``start`` and ``stop`` by the GPU's own clock.

    Both put a mark on the stream that the session runs on; once the session is synchronised, ``seconds`` gives the
    seconds between the two marks.
    """

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def seconds(self) -> float: ...


@dataclass(frozen=True)
class Network:
    """What a backend builds from.

    ``module`` has its weights, in float32 on the CPU, and is in evaluation mode; ``example`` is a batch (N, 3, H, W) of
    float32. The backend casts the module to ``precision`` before it exports, so that what it builds has that precision.
    """

    module: nn.Module
    example: Tensor
    precision: str
    device: str = "cpu"
    options: Mapping[str, str] = field(default_factory=dict)


class Backend(Protocol):
    """A runtime, as a table entry: what it needs, what it can, and how it loads.

    ``modules`` are imported in the worker; ``distributions`` are the packages whose versions decide
    whether an artifact is still good; ``install`` is the command that installs what is missing.
    ``precisions`` names for each device that the engine knows the precisions that it has there.
    ``load`` gets the artifact's folder, or the folder of the weights where the backend exports nothing.

    Optional attributes: ``options`` (name to possible values, the default first) and
    ``refuses(device, precision)``, called in a worker or in the builder process, which returns the reason why the
    engine cannot compute in that precision on this machine's device, or None where it can.

    ``load``, and ``build`` and ``compile`` below, raise ``Unavailable`` (of ``processes.service``) where the engine
    cannot do on this machine what is asked: the cell then ends as ``unavailable`` with the exception's text. Any other
    exception is a failure, and the cell ends as ``failed``. ``ImportError`` and ``OSError`` of ``refuses`` itself count
    as a refusal: the engine's own libraries cannot be loaded.
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

    ``build`` writes the artifact's files into ``folder``, which is empty. Backends whose attribute ``graph`` has the
    same name, and which inherit the same ``build``, share one artifact; the versions of their ``build_distributions``
    then decide whether that artifact is still good.
    """

    build_modules: tuple[str, ...]

    def build(self, network: Network, folder: Path) -> None: ...


@runtime_checkable
class Compiler(Protocol):
    """A backend whose engine compiles the exported graph into a file of its own, before that file can be loaded.

    ``compile`` is called in a worker, on the device that the file is for. ``graph`` is the folder of the exported
    artifact; ``compile`` writes into ``folder`` what ``load`` later reads from it.
    """

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None: ...
