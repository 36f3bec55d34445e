"""``python -m inception_bench.gauge``: what the machine gives now, in a quarter of a second.

The machine's fastest known product and convolution are timed, each a few times, and the best time counts: what a
neighbour takes for a moment is left out, what it takes for longer is the machine's state. ONNX Runtime and OpenVINO
(oneDNN) are asked where they are installed, else NumPy. torch is asked for bf16 alone: to import it takes a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from inception_bench.processes.service import Answer, serve

REPETITIONS = 8
# A square product, and a 3x3 convolution of 256 maps of 28 x 28 into as many: the largest pace of the shapes that were
# tried on an AMD EPYC (512 to 1024; 128 to 768 channels at 17 to 56 pixels), by all engines.
SIDE = 512
CHANNELS, PIXELS = 256, 28
PRODUCT_MACS = SIDE**3
CONVOLUTION_MACS = CHANNELS * CHANNELS * 9 * PIXELS * PIXELS
BF16_SIDE = 256  # emulated where the processor has none: a hundred times slower
BF16_QUICK_S = 0.005  # a processor that takes less for it has bf16, and is asked for a larger product too
COPIED_BYTES = 32 << 20
SPIN_STEPS = 100_000

Call = Callable[[], Any]


@dataclass(frozen=True)
class Work:
    """A call, by whom, and how many multiply-accumulates it takes."""

    name: str
    call: Call
    macs: int


@dataclass
class Works:
    """The works of this machine, ready to be timed."""

    threads: int = 1
    fp32: list[Work] = field(default_factory=list)
    bf16: list[Work] = field(default_factory=list)
    copies: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    pool: ThreadPoolExecutor | None = None

    def start(self, message: dict[str, Any]) -> Answer:
        """Make everything ready for so many ``threads``, and for bf16 where a run has such cells."""
        self.threads = message["threads"]
        makers = {("onnxruntime", "onnx"): _onnxruntime, ("openvino",): _openvino}
        here = [make for needs, make in makers.items() if all(map(find_spec, needs))]
        self.fp32 = [work for make in here for work in make(self.threads)] or _numpy()
        self.bf16 = _torch_bf16(self.threads) if "bf16" in message["precisions"] and find_spec("torch") else []
        share = COPIED_BYTES // 4 // self.threads
        self.copies = [(np.ones(share, np.float32), np.zeros(share, np.float32)) for _ in range(self.threads)]
        self.pool = ThreadPoolExecutor(self.threads)
        for work in (*self.fp32, *self.bf16):
            work.call()
        self._copy()
        return {}, []

    def read(self, message: dict[str, Any]) -> Answer:
        """The paces now; multiply-accumulates, bytes and seconds."""
        begun = time.perf_counter()
        fp32, by = max((work.macs / best_of(work.call), work.name) for work in self.fp32)
        bf16 = max((work.macs / best_of(work.call) for work in self.bf16), default=None)
        copied = sum(source.nbytes for source, _ in self.copies) / best_of(self._copy)
        spin_s = best_of(_spin)
        return {
            "threads": self.threads,
            "fp32_macs_s": fp32,
            "by": by,
            "bf16_macs_s": bf16,
            "copy_bytes_s": copied,
            "spin_s": spin_s,
            "seconds": time.perf_counter() - begun,
        }, []

    def _copy(self) -> None:
        """Copy memory in all threads at once."""
        if self.pool is not None:
            list(self.pool.map(lambda both: np.copyto(both[1], both[0]), self.copies))


def best_of(call: Call) -> float:
    """Seconds of the fastest of a few calls."""
    seconds = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _spin() -> int:
    """Integer arithmetic of one core, which needs neither memory nor vector units."""
    total = 0
    for step in range(SPIN_STEPS):
        total += step & 3
    return total


def _inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A square matrix, maps and filters; random, as zeros were seen to be quicker."""
    draw = np.random.default_rng(0)
    shapes = ((SIDE, SIDE), (1, CHANNELS, PIXELS, PIXELS), (CHANNELS, CHANNELS, 3, 3))
    square, maps, filters = (draw.random(shape, dtype=np.float32) for shape in shapes)
    return square, maps, filters


def _numpy() -> list[Work]:
    square, _, _ = _inputs()
    return [Work("numpy product", partial(np.matmul, square, square), PRODUCT_MACS)]


def _onnxruntime(threads: int) -> list[Work]:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    square, maps, filters = _inputs()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # else it takes cores from what is timed

    def work(name: str, operator: str, given: np.ndarray, weights: np.ndarray, macs: int, **attributes: Any) -> Work:
        node = helper.make_node(operator, ["x", "w"], ["y"], **attributes)
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, given.shape)
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, given.shape)
        graph = helper.make_graph([node], name, [x], [y], [numpy_helper.from_array(weights, "w")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        providers = ["CPUExecutionProvider"]
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)
        return Work(f"onnxruntime {name}", partial(session.run, None, {"x": given}), macs)

    return [
        work("product", "MatMul", square, square, PRODUCT_MACS),
        work("convolution", "Conv", maps, filters, CONVOLUTION_MACS, pads=[1, 1, 1, 1]),
    ]


def _openvino(threads: int) -> list[Work]:
    import openvino
    from openvino import opset13 as operators

    square, maps, filters = _inputs()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    core = openvino.Core()

    def work(name: str, given: np.ndarray, make: Callable[[Any], Any], macs: int) -> Work:
        parameter = operators.parameter(given.shape, np.float32)
        compiled = core.compile_model(openvino.Model([make(parameter)], [parameter]), "CPU", settings)
        return Work(f"openvino {name}", partial(compiled, [given]), macs)

    def convolve(x: Any) -> Any:
        return operators.convolution(x, operators.constant(filters), [1, 1], [1, 1], [1, 1], [1, 1])

    return [
        work("product", square, lambda x: operators.matmul(x, operators.constant(square), False, False), PRODUCT_MACS),
        work("convolution", maps, convolve, CONVOLUTION_MACS),
    ]


def _torch_bf16(threads: int) -> list[Work]:
    import torch

    torch.set_num_threads(threads)

    def work(side: int) -> Work:
        square = torch.rand(side, side).bfloat16()
        return Work("torch product", partial(torch.mm, square, square), side**3)

    small = work(BF16_SIDE)
    return [small, work(SIDE)] if best_of(small.call) < BF16_QUICK_S else [small]


def main() -> None:
    """Answer the coordinator until it hangs up."""
    works = Works()
    serve({"start": works.start, "read": works.read})


if __name__ == "__main__":
    main()
