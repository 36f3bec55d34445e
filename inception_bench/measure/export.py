"""One network as one file, for use elsewhere: the same artifact that a run would load to time the network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from inception_bench.backends.registry import find_backend
from inception_bench.errors import OptionError, UnknownNameError, UsageError
from inception_bench.machine.environment import usable_cores
from inception_bench.measure.selection import NUM_CLASSES, read_options
from inception_bench.measure.workshop import Workshop
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import Limits
from inception_bench.spec.runtime import DEVICES, PRECISIONS, Runtime
from inception_bench.store.cache import Artifact, ArtifactCache, default_root


@dataclass(frozen=True)
class Format:
    """A kind of file: the backend that builds it, the file's name within the artifact, and its usual device.

    With ``graph_only`` the file is the graph that the backend's engine would compile, and the engine is not needed.
    """

    backend: str
    file: str
    device: str = "cpu"
    graph_only: bool = False


FORMATS = {
    "onnx": Format("tensorrt", "network.onnx", "cuda", graph_only=True),
    "torchscript": Format("torchscript", "network.pt"),
    "aot_inductor": Format("aot_inductor", "network.pt2"),
    "openvino": Format("openvino", "network.blob"),
    "tensorrt": Format("tensorrt", "network.plan", "cuda"),
    "tensorrt_rtx": Format("tensorrt_rtx", "network.plan", "cuda"),
}


@dataclass(frozen=True)
class Order:
    """What to export. ``device`` None is the format's usual device, ``input_size`` (pixels) None the network's own."""

    model: str
    to: str
    device: str | None = None
    precision: str = "fp32"
    batch_size: int = 1
    input_size: int | None = None
    width_mult: float = 1.0
    options: tuple[str, ...] = ()

    def case(self) -> Case:
        """The cell whose artifact this is. Raises UsageError for the first thing that cannot be done."""
        if self.to not in FORMATS:
            raise UnknownNameError("format", self.to, FORMATS)
        table, file_format = find_table(self.model), FORMATS[self.to]
        device = file_format.device if file_format.graph_only else self.device or file_format.device
        size = self.input_size or table.input_size
        for option, given, known in (("device", device, DEVICES), ("precision", self.precision, PRECISIONS)):
            if given not in known:
                raise UnknownNameError(option, given, known)
        make_plan(
            table, input_size=size, width_mult=self.width_mult
        )  # raises for a size or width that the network does not take
        if self.batch_size < 1:
            raise OptionError(lambda named: f"{named('batch_size')} {self.batch_size}: a batch has at least 1 image")
        options = read_options(file_format.backend, self.options)
        if file_format.graph_only and "opset" in options and self.precision != "fp32":
            raise OptionError(
                lambda named: (
                    f"a graph of operator set 17 is in fp32; leave {named('precision')} {self.precision} or the option"
                )
            )
        return Case(
            NetworkSpec(table.name, table.definition, size, self.width_mult, NUM_CLASSES),
            Runtime(file_format.backend, device, self.precision, self.batch_size, usable_cores(), options),
        )


def export(order: Order, output: Path) -> Artifact:
    """Build the file, or find it in the cache, and copy it to ``output``. Raises UsageError with the reason."""
    case = order.case()
    runtime = case.runtime
    graph_only = FORMATS[order.to].graph_only
    registered = find_backend(runtime.backend)
    reason = registered.missing(building_only=graph_only) or registered.unsupported(runtime.device, runtime.precision)
    if reason is not None:
        raise UsageError(f"{order.to}: {reason}")
    if not output.resolve().parent.is_dir():
        raise UsageError(f"{output.parent} is no folder; make it first")
    workshop = Workshop(ArtifactCache(default_root()), Limits().build)
    try:
        weights = workshop.weights(case)
        make = workshop.graph if graph_only else workshop.artifact
        artifact = make(case, weights, workshop.images(case.network))
    except CallFailed as error:
        raise UsageError(f"{order.to}: {error}") from None
    finally:
        workshop.close()
    shutil.copyfile(artifact.folder / FORMATS[order.to].file, output)
    return artifact
