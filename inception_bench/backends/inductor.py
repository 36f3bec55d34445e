"""What torch.compile and AOTInductor share: which compilers they need, and how the code that they write is read."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.util import find_spec

from inception_bench.backends import torch_session

# ``convolution_3: "bf16[1, 32, 149, 149][...]cpu" = torch.ops.aten.convolution.default(`` in inductor's last graph
_CONVOLUTION = re.compile(r'"?(\w+)\[[^"\n]*"? = torch\.ops\.(?:aten\.convolution|mkldnn\._convolution)')
_GRAPH_TYPES = {"f32": "torch.float32", "f16": "torch.float16", "bf16": "torch.bfloat16", "f64": "torch.float64"}
# ``constants_info_[5].dtype = cached_torch_dtype_bfloat16;`` in AOTInductor's wrapper code
_CONSTANT = re.compile(r"constants_info_\[(\d+)\]\.(dtype|shape|name|original_fqn) = (.*);")


def refuses(device: str, precision: str, *, packaged: bool = False) -> str | None:
    """Why inductor cannot generate code for ``device`` on this machine, or None where it can.

    A package of AOTInductor (``packaged``) needs a C++ compiler for a GPU too, as its wrapper is C++ on every device.
    """
    problem = torch_session.refuses(device, precision)
    if problem is not None:
        return problem
    if device == "cuda" and find_spec("triton") is None:
        return "inductor needs triton for CUDA; pip install triton"
    if device == "cuda" and not _c_compiler():  # triton compiles the C code that launches its kernels
        return "triton needs a C compiler and finds none; apt install gcc"
    if (device == "cpu" or packaged) and shutil.which(_cxx()) is None:
        return f"inductor needs a C++ compiler and finds no {_cxx()}; apt install g++, or name one in CXX"
    return None


def _cxx() -> str:
    """The C++ compiler that inductor would start, chosen as in torch._inductor.config."""
    return os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")


def _c_compiler() -> str | None:
    """The C compiler that triton would start, chosen as in triton.runtime.build."""
    return os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")


def graph_convolution_types(graph: str) -> set[str]:
    """The types (torch's names) of all convolutions' outputs in the text of a graph as inductor prints it."""
    return {_GRAPH_TYPES.get(name, name) for name in _CONVOLUTION.findall(graph)}


def wrapper_constants(code: str) -> list[dict[str, str]]:
    """The constants that AOTInductor's generated wrapper declares: their name, type and shape as written there."""
    constants: dict[str, dict[str, str]] = {}
    for number, field, value in _CONSTANT.findall(code):
        constants.setdefault(number, {})[field] = value.strip('"')
    return list(constants.values())


def constant_convolution_types(constants: list[dict[str, str]]) -> set[str]:
    """The types (torch's names) of all constants of four dimensions: the filters of the convolutions."""
    filters = [entry for entry in constants if entry["shape"].count(",") == 3]
    return {"torch." + entry["dtype"].removeprefix("cached_torch_dtype_") for entry in filters}
