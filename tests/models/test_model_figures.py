"""Params and MACs of every network: by table arithmetic, by torch, and by two counters.

The expected figures were counted on public code (BVLC and other prototxts, torchvision, timm, Cadene,
TensorFlow-slim) where there is any, and worked out apart from this package where there is none.
"""

import logging
import subprocess
import sys

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

from inception_bench.models.complexity import complexity
from inception_bench.models.public import BASELINES, BUILT_IN, NINE, create_model, list_definitions, list_models

# address: params without aux heads, params with them, MACs at native size
FIGURES = {
    "googlenet": (6_998_552, 13_378_280, 1_582_671_872),
    # Batch norm for biases: 7,280 channels have two parameters for one.
    "googlenet@bn": (6_998_552 + 7_280, None, 1_582_671_872),
    "googlenet@torchvision": (6_624_904, 13_004_888, 1_498_376_192),
    "googlenet_naive": (97_526_008, None, 12_568_061_056),
    "googlenet_naive@projection": (25_305_944, None, 4_426_547_200),
    "googlenet_uniform": (13_429_992, None, 2_373_674_176),
    "googlenet_uniform@printed": (7_738_728, None, 1_381_017_280),
    "bn_inception": (11_188_288, None, 1_934_857_216),
    "bn_inception@cadene": (11_295_240, None, 2_032_600_064),
    "inception_v2": (25_954_248, 29_280_944, 6_352_562_784),
    "inception_v2@stem7x7": (25_344_072, 25_344_072 + 3_326_696, 5_479_059_136),
    "inception_v3": (23_834_568, 27_161_264, 5_713_216_096),
    "inception_v3@torchvision": (23_834_568, 27_161_264, 5_713_216_096),
    "inception_v3@fid": (23_834_568, 27_161_264, 5_713_216_096),
    "inception_v4": (42_679_816, 46_039_280, 12_253_974_624),
    "inception_v4@timm": (42_679_816, 46_039_280, 12_253_974_624),
    "inception_resnet_v1": (22_756_328, None, 6_206_361_696),
    # One more C module on 1792 channels of 8x8: 1x1 192 twice, 1x3 and 3x1 of 192, 384 back to 1792 with a bias.
    "inception_resnet_v1@facenet": (
        22_756_328 + 2 * 1792 * 192 + 2 * 3 * 192 * 192 + 4 * 2 * 192 + 384 * 1792 + 1792,
        None,
        6_206_361_696 + 64 * (2 * 1792 * 192 + 2 * 3 * 192 * 192 + 384 * 1792),
    ),
    "inception_resnet_v2": (55_843_464, 59_211_120, 13_155_794_016),
    "inception_resnet_v2@paper": (32_433_928, None, 9_257_953_632),
    "alexnet": (60_965_224, None, 724_406_816),
    "vgg16": (138_357_544, None, 15_470_264_320),
    "resnet50": (25_557_032, None, 4_089_184_256),
    "resnet152": (60_192_808, None, 11_513_626_624),
}
# address: weighted operations, where they were counted
OPERATIONS = {
    "googlenet": 58,
    "googlenet_naive": 31,
    "googlenet_naive@projection": 40,
    "googlenet@torchvision": 58,
    "bn_inception": 71,
    "bn_inception@cadene": 70,
    "inception_v2": 106,
    "inception_v3": 95,
    "inception_v4": 150,
    "inception_resnet_v1": 128,
    "inception_resnet_v2": 245,
    "inception_resnet_v2@paper": 133,
    "alexnet": 8,
    "vgg16": 16,
    "resnet50": 54,
    "resnet152": 156,
}
ADDRESSES = [table.address for table in BUILT_IN]


def test_every_definition_has_a_figure():
    assert list(FIGURES) == ADDRESSES == list_definitions()


def test_the_nine_and_the_baselines():
    assert len(NINE) == 9
    assert [*NINE, *BASELINES] == list_models()
    assert BASELINES == ("alexnet", "vgg16", "resnet50", "resnet152")


@pytest.mark.parametrize("address", ADDRESSES)
def test_arithmetic(address):
    params, with_aux, macs = FIGURES[address]
    cost = complexity(address)
    assert (cost.params, cost.params_without_aux, cost.macs) == (params, params, macs)
    assert sum(row.params for row in cost.rows) == params
    assert sum(row.macs for row in cost.rows) == macs
    if with_aux is not None:
        cost = complexity(address, aux=True)
        assert (cost.params, cost.params_without_aux, cost.macs) == (with_aux, params, macs)


def native(address: str):
    """The network on the meta device and an image of its native size: shapes and counts without the work."""
    with torch.device("meta"):
        model = create_model(address).eval()
        return model, torch.zeros(1, 3, model.plan.table.input_size, model.plan.table.input_size)


@pytest.mark.slow
@pytest.mark.parametrize("address", ADDRESSES)
def test_torch_and_both_counters(address):
    params, with_aux, macs = FIGURES[address]
    model, image = native(address)
    assert sum(parameter.numel() for parameter in model.parameters()) == params
    if with_aux is not None:
        with torch.device("meta"):
            whole = create_model(address, aux=True)
        assert sum(parameter.numel() for parameter in whole.parameters()) == with_aux
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    assert counter.get_total_flops() == 2 * macs
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    model, image = create_model(address).eval(), torch.zeros(image.shape, device="cpu")  # it cannot trace meta tensors
    with torch.no_grad():
        counted = FlopCountAnalysis(model, image).unsupported_ops_warnings(False).by_operator()
    assert counted["conv"] + counted["linear"] == macs


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_weighted_operation_runs_once(address):
    model, image = native(address)
    calls = []
    weighted = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    for module in weighted:
        module.register_forward_hook(lambda module, *_: calls.append(module))
    with torch.no_grad():
        model(image)
    assert len(calls) == len(set(calls)) == len(weighted)
    assert len(weighted) == OPERATIONS.get(address, len(weighted))


def test_arithmetic_needs_no_torch():
    code = (
        "import sys, inception_bench as ib; "
        "[ib.complexity(name) for name in ib.list_models()]; "
        "from inception_bench.models.describe import describe; describe('inception_v3'); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
