"""Reading what was built: each engine's own words, in the form in which it says them, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inception_bench.backends.aot_inductor import AotInductor
from inception_bench.backends.base import Attestation, Setup
from inception_bench.backends.inductor import (
    constant_convolution_types,
    graph_convolution_types,
    wrapper_constants,
)
from inception_bench.backends.tensorrt_inspect import inspector_convolutions, read_layers, tactic_precision, told
from inception_bench.backends.tensorrt_plan import effective_precision, plan_convolutions
from inception_bench.machine.nvml import energy_per_image_j, throttle_reasons
from inception_bench.processes.service import account

FP16_TACTIC = "sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc_tilesize256x64x32_stage3_g1_tensor16x8x16"
TF32_TACTIC = "sm80_xmma_fprop_implicit_gemm_f32f32_tf32f32_f32_nhwckrsc_nhwc_tilesize256x64x32_stage3_g1_tensor16x8x8"
DYNAMIC = "N/A due to dynamic shapes"


def layer(datatype: dict[str, str], kind: str = "CaskConvolution", **other: object) -> dict:
    return {"Name": "Conv_0 + Relu_1", "LayerType": kind, "Inputs": [{"Name": "x", **datatype}], **other}


def written(text: str) -> dict[str, str]:
    return {"Format/Datatype": text}


@pytest.mark.parametrize(
    ("image", "precision"),
    [
        (written("Row major linear FP16 format"), "fp16"),
        (written("Row major linear FP32"), "fp32"),
        (written("Channel major FP16 format where channel % 8 == 0"), "fp16"),
        (written("Channel major BFloat16 format where channel % 8 == 0"), "bf16"),
        (written("Channel major FP32 format where channel % 4 == 0"), "fp32"),
        (written("Thirty-two wide channel vectorized row major Int8 format."), "int8"),
        (written("Two wide channel vectorized row major FP16 format"), "fp16"),
        (written("Half"), "fp16"),
        (written("FP8"), "fp8"),
        ({"Format": "Row major linear", "Datatype": "BFloat16"}, "bf16"),
        ({"Format": "Channel major FP16 format where channel % 8 == 0"}, "fp16"),
        ({"DataType": "Float", "Format": "Row major linear"}, "fp32"),
        (written(DYNAMIC), "unknown"),
        ({}, "unknown"),
    ],
)
def test_inspector_s_words_for_a_tensor(image: dict[str, str], precision: str):
    assert inspector_convolutions([layer(image)]) == {precision: 1}


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        (FP16_TACTIC, "fp16"),
        (TF32_TACTIC, "tf32"),
        ("sm80_xmma_fprop_implicit_gemm_tf32f32_tf32f32_f32_nhwckrsc_nhwc_tilesize128x128x16", "tf32"),
        ("sm80_xmma_fprop_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x32", "bf16"),
        ("sm80_xmma_fprop_implicit_gemm_indexed_f32f32_f32f32_f32_nhwckrsc_nhwc_tilesize128x32x8", "fp32"),
        ("sm80_xmma_fprop_implicit_gemm_interleaved_i8i8_i8i32_f32_nchw_vect_c_32kcrs_vect_c_32", "int8"),
        ("sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x64x64", "fp16"),
        ("trt_turing_cutlass_image_network_first_layer_hmma_fprop_f16f16f32_nhwc_nhwc_k64r7s7c4_stride2x2", "fp16"),
        ("ampere_h16816cudnn_128x128_ldg8_relu_exp_stages_64x3_large_nhwc_tn_v1", "fp16"),
        ("turing_h1688cudnn_256x64_sliced1x2_ldg8_relu_exp_medium_nhwc_tn_v1", "fp16"),
        ("volta_h884cudnn_256x64_ldg8_relu_exp_interior_nhwc_tn_v1", "fp16"),
        ("turing_fp16_s1688cudnn_fp16_128x128_ldg8_relu_f2f_exp_medium_nhwc_tn_v1", "fp16"),
        ("ampere_scudnn_128x64_relu_xregs_large_nn_v1", "fp32"),
        ("volta_sgemm_128x64_nn", "fp32"),
        ("turing_s1688cudnn_128x128_ldg8_relu_exp_medium_nhwc_tn_v1", None),  # sums in binary32; of what, it hides
        ("0x00000000000003e8", None),
        ("", None),
    ],
)
def test_tactic_s_name(name: str, precision: str | None):
    assert tactic_precision(name) == precision
    told = inspector_convolutions([layer(written(DYNAMIC), TacticName=name)])
    assert told == {precision or "unknown": 1}


def test_filters_tell_where_shapes_are_open():
    found = [layer(written(DYNAMIC), Weights={"Type": "Half", "Count": 9408}, TacticName=FP16_TACTIC)]
    assert inspector_convolutions(found) == {"fp16": 1}


def test_inspector_of_a_resnet():
    """Layers as NVIDIA publishes them: only convolutions count, also where others are named after one."""
    half = written("Channel major FP16 format where channel % 4 == 0")
    layers = [
        layer(written("Row major linear FP32"), "Reformat", ParameterType="Reformat", Origin="REFORMAT"),
        layer(half, "NoOp", Metadata="[ONNX Layer: Conv_0]"),
        layer(half, ParameterType="Convolution", TacticName=FP16_TACTIC),
        layer(half, "CaskConvActPool"),
        layer(half, "CaskGemmConvolution", ParameterType="Convolution"),
        layer(half, "CudaPooling", ParameterType="Pooling"),
        layer(written("Row major linear FP32"), "Convert"),
    ]
    assert inspector_convolutions(layers) == {"fp16": 3}


def test_inspector_of_what_a_compiler_fused():
    half, full = {"Datatype": "Half"}, {"Datatype": "Float"}
    layers = [
        layer(half, "gemm", Name="node_conv2d_3_myl0_4"),
        layer(half, "gemm", Name="__myl_Fc", Metadata="[ONNX Layer: node_linear]"),  # the classifier
        layer(half, "kgen", Name="__myl_ConvAdd"),
        layer(full, "kgen", Name="__myl_Cast", Metadata="[ONNX Layer: node_conv2d]"),  # only beside a convolution
        layer(full, "kgen", Name="__myl_MoveConc"),
        layer(half, "fusion", Name="__myl_0", TacticName=FP16_TACTIC),
    ]
    assert inspector_convolutions(layers) == {"fp16": 3}


def test_one_layer_for_a_whole_network_tells_nothing():
    """Images and logits are binary32 at its borders, whatever is inside."""
    whole = layer(written("Row major linear FP32"), "Myelin", Name="{ForeignNode[node__to_copy...node_linear]}")
    assert inspector_convolutions([whole]) == {"unknown": 1}
    assert inspector_convolutions([{**whole, "TacticName": FP16_TACTIC}]) == {"fp16": 1}


def test_binary32_that_may_be_rounded():
    """With TF32 off a tactic that does not tell is full; with TF32 on it may be either. One that tells is believed."""
    full = written("Row major linear FP32")
    layers = [layer(full), layer(full, TacticName="ampere_scudnn_128x64_relu"), layer(full, TacticName=TF32_TACTIC)]
    assert inspector_convolutions(layers) == {"fp32": 2, "tf32": 1}
    assert inspector_convolutions(layers, tf32=True) == {"unknown": 1, "fp32": 1, "tf32": 1}


class Inspected:
    """Stands for an engine that says ``text`` of itself."""

    execution_context = None

    def __init__(self, text: str):
        self._text = text

    def create_engine_inspector(self) -> Inspected:
        return self

    def get_engine_information(self, kind: str) -> str:
        return self._text


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ('{"Layers": [{"Name": "Conv_0"}], "Bindings": ["x"]}', [{"Name": "Conv_0"}]),
        ('{"Layers": ["Conv_0", "Conv_1"]}', []),  # an engine that was built to tell names only
        ('{"Layers": [{"Name": ', []),
        ("{}", []),
    ],
)
def test_inspector_s_text(text: str, layers: list[dict]):
    trt = SimpleNamespace(LayerInformationFormat=SimpleNamespace(JSON="json"))
    engine = Inspected(text)
    assert read_layers(trt, engine, "context with shapes") == layers
    assert engine.execution_context == "context with shapes"


def test_what_could_not_be_read_is_told():
    assert told({"fp16": 94}) == "convolutions fp16 x94"
    partly = "convolutions fp16 x90, unknown x4; the precision of 4 of 94 could not be read"
    assert told({"unknown": 4, "fp16": 90}) == partly
    assert told({"fp16+unknown": 1}).endswith("; the precision of 1 of 1 could not be read")
    assert told({}) == "precision could not be read: the engine names no convolution"


@pytest.mark.parametrize(
    ("asked", "effective", "differences"),
    [
        ("fp16", "unknown", []),
        ("fp16", "fp16+unknown", []),
        ("fp16", "fp32+unknown", ["precision: asked fp16, effective fp32+unknown"]),
        ("fp16", "fp16+fp32+unknown", ["precision: asked fp16, effective fp16+fp32+unknown"]),
        ("fp16", "fp32", ["precision: asked fp16, effective fp32"]),
        ("fp16", "", ["precision: asked fp16, effective "]),
    ],
)
def test_unknown_is_no_difference_and_a_lie_is(asked: str, effective: str, differences: list[str]):
    attested = Attestation("engine", "1", "cuda", effective, 1)
    assert attested.differences(Setup("cuda", asked, 1, 1, 32)) == differences


@pytest.mark.parametrize(
    ("found", "tf32", "precision"),
    [
        ({"fp16": 94}, False, "fp16"),
        ({"fp16": 93, "fp32": 1}, False, "fp16+fp32"),
        ({"tf32": 90, "fp32": 4}, True, "tf32"),  # it may round to TF32, and found full products faster in four
        ({"tf32": 1, "fp32": 93}, False, "fp32+tf32"),
        ({"fp32": 94}, True, "fp32"),  # asked for tf32 and none has it: the label would be wrong
        ({}, False, "unknown"),
        ({"fp16": 90, "unknown": 4}, False, "fp16+unknown"),
        ({"fp32": 90, "unknown": 4}, False, "fp32+unknown"),
        ({"tf32": 90, "fp32": 3, "unknown": 1}, True, "tf32+unknown"),
        ({"fp32": 3, "unknown": 91}, True, "unknown"),
        ({"fp16+fp32": 1, "fp16": 93}, False, "fp16+fp32"),
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
