"""What every network promises: any size, any width, trace, script, export, aux heads, clear errors."""

import warnings

import numpy as np
import onnxruntime
import pytest
import torch

from inception_bench.data.photographs import parity_images
from inception_bench.errors import InputSizeError, UnknownNameError, UsageError
from inception_bench.models.complexity import complexity, cost
from inception_bench.models.layers import ResponseNorm
from inception_bench.models.plan import make_plan
from inception_bench.models.public import BASELINES, BUILT_IN, NINE, create_model, find_table
from inception_bench.models.weights.signal import keep_signal

INCEPTIONS = [table.address for table in BUILT_IN if table.name in NINE]
WITH_AUX = [table.address for table in BUILT_IN if table.aux]
THIN = 0.125
# Each kind of step, pool and head is in one of these; the other definitions only arrange them otherwise.
COMPILED = [*NINE, "googlenet@torchvision", "bn_inception@cadene"]


def some_sizes(address: str) -> list[int]:
    """The least sizes, odd and even, and the native one; between them the arithmetic test has them all."""
    table = find_table(address)
    return [table.least_input, table.least_input + 1, table.least_input + 14, table.input_size - 1, table.input_size]


@pytest.mark.parametrize("address", INCEPTIONS)
def test_every_size_from_the_least_to_the_native_can_be_worked_out(address):
    table = find_table(address)
    for size in range(table.least_input, table.input_size + 1):
        plan = make_plan(table, input_size=size)
        assert plan.rows[-1].output.cells >= 1


@pytest.mark.parametrize("address", INCEPTIONS)
def test_grids_are_those_of_the_arithmetic(address):
    with torch.device("meta"):
        model = create_model(address, width_mult=THIN).eval()
        for size in some_sizes(address):
            plan = make_plan(model.plan.table, input_size=size, width_mult=THIN)
            want = {row.name: (2, row.output.channels, row.output.height, row.output.width) for row in plan.rows}
            found = {name: tuple(x.shape) for name, x in model.forward_rows(torch.zeros(2, 3, size, size)).items()}
            assert found == {**want, "Logits": (2, 1000)}


@pytest.mark.parametrize("address", INCEPTIONS)
@pytest.mark.parametrize("width_mult", [0.125, 0.5, 2.0])
def test_widths(address, width_mult):
    with torch.device("meta"):
        model = create_model(address, width_mult=width_mult, num_classes=7, aux=address in WITH_AUX)
    want = complexity(address, width_mult=width_mult, num_classes=7, aux=address in WITH_AUX)
    assert sum(parameter.numel() for parameter in model.parameters()) == want.params
    narrowest = min(row.channels for row in want.rows[:-1])
    assert narrowest >= 16


def test_width_is_rounded_down_but_never_under_16():
    stem = complexity("inception_v3", width_mult=0.3).rows
    assert [row.channels for row in stem[:5]] == [16, 16, 19, 19, 24]  # 32, 32, 64, (pool), 80 times 0.3


@pytest.mark.parametrize("address", WITH_AUX)
def test_aux_heads_give_logits_at_any_size(address):
    model = create_model(address, width_mult=THIN, num_classes=5, aux=True).eval()
    least = model.least_input
    with torch.no_grad():
        for image in (torch.randn(1, 3, least, least), torch.randn(1, 3, least + 20, least + 3)):
            logits, aux = model.forward_aux(image)
            assert torch.equal(logits, model(image))
            assert {at: tuple(x.shape) for at, x in aux.items()} == {h.at: (1, 5) for h in find_table(address).aux}


def test_the_head_is_made_for_the_native_grid():
    for address in WITH_AUX:
        plan = make_plan(find_table(address))
        for head in find_table(address).aux:
            if head.grid != 4:  # torchvision's averages to 4x4 adaptively
                assert next(row for row in plan.rows if row.name == head.at).output.height == head.grid


def test_forward_gives_logits_in_training_too():
    model = create_model("inception_v3", width_mult=THIN, num_classes=3, aux=True).train()
    assert model(torch.randn(2, 3, 75, 75)).shape == (2, 3)
    assert create_model("inception_v3", width_mult=THIN).forward_aux(torch.randn(2, 3, 75, 75))[1] == {}


@pytest.mark.slow
@pytest.mark.parametrize("address", COMPILED)
def test_traces_and_scripts(address):
    model = create_model(address, width_mult=THIN, num_classes=5, aux=address in WITH_AUX).eval()
    size = model.least_input + 2
    image, other = torch.randn(2, 3, size, size), torch.randn(1, 3, size + 5, size + 9)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")  # a tracer's warning would mean that a value became a constant
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        # torch's own response normalisation asks whether its input is empty, which no image is.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning, module="torch.nn.functional")
        traced, scripted = torch.jit.trace(model, image), torch.jit.script(model)
        for x in (image, other):
            for made in (traced, scripted):
                torch.testing.assert_close(made(x), model(x), rtol=1e-4, atol=1e-5)
        assert set(scripted.forward_aux(image)[1]) == set(model.forward_aux(image)[1])


@pytest.mark.slow
@pytest.mark.parametrize("address", COMPILED)
def test_exports_and_runs_in_onnx_runtime(address, tmp_path):
    """Parity in fp32 within 1e-4 of the spread between two photographs."""
    model = create_model(address, width_mult=THIN, num_classes=5)
    size = 96 if model.least_input <= 32 else 107
    images = torch.from_numpy(parity_images(size, model.plan.table.preprocessing)[:2])
    keep_signal(model, images)
    with torch.no_grad():
        want = model(images).numpy()
    torch.onnx.export(model, (images,), tmp_path / "model.onnx", dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    assert np.abs(got - want).max() <= 1e-4 * np.abs(want[0] - want[1]).max()


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_take_their_native_size_and_width_only(name):
    size = find_table(name).input_size
    assert complexity(name, input_size=size).macs == complexity(name).macs
    with pytest.raises(UsageError, match=f"{name} is a baseline: it takes {size} pixels and width_mult 1 only"):
        complexity(name, input_size=size + 32)
    with pytest.raises(UsageError, match="baseline"):
        create_model(name, width_mult=0.5)


def test_initial_weights_are_a_cut_normal():
    torch.manual_seed(0)
    model = create_model("inception_v3", aux=True)
    weight = model.rows.Mixed_7c.branches[0][0].conv.weight.detach()
    std = (1.3 * 2 / 2048) ** 0.5  # 1x1 on 2048 channels
    assert weight.abs().max() <= 2 * std * 1.0001
    assert weight.std() == pytest.approx(
        0.8796 * std, rel=0.01
    )  # a normal cut at two deviations keeps 0.8796 of its own
    assert model.aux.Mixed_6e.head.linear.weight.abs().max() <= 0.002  # two deviations of 0.001
    assert not model.classifier.linear.bias.any()
    torch.manual_seed(0)
    assert torch.equal(create_model("inception_v3", aux=True).classifier.linear.weight, model.classifier.linear.weight)


def test_unknown_names():
    with pytest.raises(UnknownNameError, match=r"unknown model 'inception_v5'; did you mean 'inception_v\d' or"):
        create_model("inception_v5")
    with pytest.raises(UnknownNameError, match=r"unknown definition of inception_v3 'tf'.*known: torchvision, fid"):
        create_model("inception_v3@tf")
    with pytest.raises(UsageError, match="vgg16 has one definition only"):
        create_model("vgg16@bn")


def test_too_small_images():
    with pytest.raises(InputSizeError, match="input size 74 is too small; the least is 75 pixels"):
        complexity("inception_v4", input_size=74)
    with pytest.raises(ValueError, match="googlenet: an image of 31x64 is too small; the least is 32 pixels"):
        create_model("googlenet", width_mult=THIN).eval()(torch.zeros(1, 3, 31, 64))


def test_other_bad_requests():
    with pytest.raises(ValueError, match="bn_inception has no aux heads"):
        create_model("bn_inception", aux=True)
    with pytest.raises(UsageError, match="width_mult 0 is not possible"):
        create_model("googlenet", width_mult=0)
    with pytest.raises(UsageError, match="num_classes 0 is not possible"):
        create_model("googlenet", num_classes=0)


def test_cost_of_a_plan_is_the_cost_of_its_name():
    assert cost(make_plan(find_table("inception_v4"), input_size=107)) == complexity("inception_v4", input_size=107)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float16, 1e-3), (torch.bfloat16, 8e-3)])
def test_response_norm_squares_what_half_precision_cannot_hold(dtype: torch.dtype, tolerance: float):
    """Five channels of 452, GoogLeNet's largest; in the middle x / (1 + alpha / 5 * 5 x^2)^beta, arXiv:1409.4842's LRN.

    452^2 is 204,304, over half's 65,504: (1 + 1e-4 * 204304)^0.75 = 9.9603, and 452 / 9.9603 = 45.380.
    """
    norm = ResponseNorm(5, 1e-4, 0.75)
    for found in (norm, torch.jit.script(norm)):
        map_ = found(torch.full((1, 5, 2, 2), 452.0, dtype=dtype))
        assert map_.dtype == dtype
        assert float(map_[0, 2, 0, 0]) == pytest.approx(45.380, rel=tolerance)
