"""Reading what was built: each engine's own words, in the form in which it says them, by hand."""

from __future__ import annotations

import pytest

from inception_bench.backends.aot_inductor import AotInductor
from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.inductor import (
    constant_convolution_types,
    graph_convolution_types,
    wrapper_constants,
)
from inception_bench.backends.nvml import energy_per_image_j, throttle_reasons
from inception_bench.backends.tensorrt_plan import effective_precision, inspector_convolutions, plan_convolutions
from inception_bench.service import account


def layer(datatype: dict[str, str], **other: str) -> dict:
    return {"Name": "conv", "ParameterType": "Convolution", "Inputs": [{"Name": "x", **datatype}], **other}


def test_inspector_of_tensorrt_10():
    layers = [
        layer({"Format/Datatype": "Channel major FP16 format where channel % 8 == 0 FP16"}),
        layer({"Format/Datatype": "Row major linear FP32"}, TacticName="sm80_xmma_fprop_f32f32_f32_simt"),
        layer({"Format/Datatype": "Row major linear FP32"}, TacticName="sm80_xmma_fprop_tf32f32_tf32f32_f32"),
        {"Name": "pool", "ParameterType": "Pooling", "Inputs": [{"Format/Datatype": "FP16"}]},
    ]
    assert inspector_convolutions(layers) == {"fp16": 1, "fp32": 1, "tf32": 1}


def test_inspector_of_tensorrt_11():
    layers = [layer({"Format": "Row major linear", "Datatype": "BFloat16"}), layer({"Datatype": "Half"})]
    assert inspector_convolutions(layers) == {"bf16": 1, "fp16": 1}


@pytest.mark.parametrize(
    ("found", "tf32", "precision"),
    [
        ({"fp16": 94}, False, "fp16"),
        ({"fp16": 93, "fp32": 1}, False, "fp16+fp32"),
        ({"tf32": 90, "fp32": 4}, True, "tf32"),  # it may round to TF32, and found full products faster in four
        ({"tf32": 1, "fp32": 93}, False, "fp32+tf32"),
        ({"fp32": 94}, True, "fp32"),  # asked for tf32 and none has it: the label would be wrong
        ({}, False, "unknown"),
    ],
)
def test_effective_precision(found: dict[str, int], tf32: bool, precision: str):
    assert effective_precision(found, tf32) == precision


PLAN = b"""options {
  tf32=0
}
descriptors {
  tensor={ alignment=128 dims={ 16 3 3 3 } name="w" offset=191 strides={ 27 1 9 3 } type=half }
  tensor={ alignment=128 dims={ 1 3 9 9 } mem_prop=0 name="x" region="devmem" strides={ 3 1 } type=half }
  tensor={ alignment=128 dims={ 1 3 9 9 } mem_prop=0 name="y" region="devmem" strides={ 3 1 } type=float }
}
main {
  corrltn={ name="a" output={"y" } input={"x" "w" "b" } stream=0 }
  corrltn={ name="c" output={"z" } input={"y" "w" "b" } stream=0 }
  fully_connected={ name="linear" output={"l" } input={"y" "y" "b" } layers="[ONNX Layer: node_linear]" }
"""
# A convolution by 1x1 that the engine computes as a matrix product.
AS_PRODUCT = (
    b'  fully_connected={ name="p" output={"q" } input={"y" "y" "b" } layers="[ONNX Layer: c]__gemm_from_conv1x1" }\n'
)


def test_plan_of_tensorrt_rtx():
    assert plan_convolutions(PLAN) == {"fp16": 1, "fp16+fp32": 1}
    assert plan_convolutions(PLAN + AS_PRODUCT) == {"fp16": 1, "fp16+fp32": 1, "fp32": 1}
    rounding = PLAN.replace(b"tf32=0", b"tf32=1")
    assert plan_convolutions(rounding) == {"fp16": 1, "fp16+tf32": 1}


def test_inductor_graph():
    graph = (
        'convolution: "bf16[2, 16, 47, 47][35344, 2209, 47, 1]cpu" = torch.ops.aten.convolution.default(a, b)\n'
        'add: "f32[16][1]cpu" = torch.ops.aten.add.Tensor(c, 1e-05)\n'
        'convolution_1: "f32[2, 16, 47, 47][35344, 2209, 47, 1]cpu" = torch.ops.aten.convolution.default(d, e)\n'
    )
    assert graph_convolution_types(graph) == {"torch.bfloat16", "torch.float32"}


def test_aot_wrapper():
    code = "".join(
        f"constants_info_[{number}].{field} = {value};\n"
        for number, shape, dtype in ((0, "{16, 3, 3, 3}", "float16"), (1, "{16}", "float32"))
        for field, value in (("shape", shape), ("dtype", f"cached_torch_dtype_{dtype}"), ("original_fqn", '"w"'))
    )
    assert constant_convolution_types(wrapper_constants(code)) == {"torch.float16"}


def test_throttle_reasons_are_named():
    # nvml.h: 0x4 software power cap, 0x40 hardware thermal slowdown; 0x4000 has no name yet.
    assert throttle_reasons(0x4044) == ["power_cap", "hardware_thermal", "0x4000"]
    assert throttle_reasons(0) == []


def test_energy_an_image():
    # 2,000,000 - 500,000 mJ = 1500 J over 3000 images
    assert energy_per_image_j(500_000, 2_000_000, 3000) == 0.5
    assert energy_per_image_j(None, 2_000_000, 3000) is None
    assert energy_per_image_j(0, 1, 0) is None


def test_out_of_memory_says_how_much_was_asked():
    words = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB"
    assert account(RuntimeError(words)) == "out of memory (asked 20.00 GiB)"
    assert account(RuntimeError("out of memory (asked 1.50 GiB)")) == "out of memory (asked 1.50 GiB)"
    assert account(ValueError("no")) == "ValueError: no"


def test_a_page_of_an_engine_s_words_becomes_one_line():
    said = account(RuntimeError("failed:\n  here\n" + "and there " * 100))
    assert said.startswith("RuntimeError: failed: here and there")
    assert len(said.splitlines()) == 1
    assert len(said) < 600


def test_asked_and_effective_are_compared():
    setup = Setup("cuda", "tf32", 2, 1, 32)
    true = Attestation("engine", "1", "cuda", "tf32", 2)
    assert true.differences(setup) == []
    false = Attestation("engine", "1", "cpu", "fp32", 2)
    assert false.differences(setup) == ["device: asked cuda, effective cpu", "precision: asked tf32, effective fp32"]


def test_precisions_are_given_by_device():
    assert AotInductor.precisions == {"cpu": ("fp32", "bf16", "fp16"), "cuda": ("fp32", "tf32", "bf16", "fp16")}
