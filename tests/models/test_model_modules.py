"""The papers' modules on their own: arithmetic and module agree, and cost what the papers' formulas say."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from inception_bench import create_module, list_modules, module_cost
from inception_bench.errors import UnknownNameError, UsageError

# The map that each module gets in its paper.
MAPS = {
    "naive": (192, 28),
    "bottleneck": (192, 28),
    "two_3x3": (288, 35),
    "asymmetric": (768, 17),
    "expanded": (1280, 8),
    "pool_first": (320, 35),
    "convolve_first": (320, 35),
    "parallel": (320, 35),
    "inception_a": (384, 35),
    "inception_b": (1024, 17),
    "inception_c": (1536, 8),
    "inception_resnet_a": (384, 35),
    "inception_resnet_b": (1152, 17),
    "inception_resnet_c": (2144, 8),
}
OUTPUTS = {"bottleneck": (28, 256), "two_3x3": (35, 288), "asymmetric": (17, 768), "expanded": (8, 2048)}
OUTPUTS |= {"inception_a": (35, 384), "inception_b": (17, 1024), "inception_c": (8, 1536)}
OUTPUTS |= {"inception_resnet_a": (35, 384), "inception_resnet_b": (17, 1152), "inception_resnet_c": (8, 2144)}


def test_every_module_has_a_map():
    assert list_modules() == list(MAPS)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(("width_mult", "grid_shift"), [(1.0, 0), (0.5, 3)])
def test_module_and_arithmetic_agree(name, width_mult, grid_shift):
    channels, grid = MAPS[name][0], MAPS[name][1] + grid_shift
    cost = module_cost(name, channels, grid, width_mult=width_mult)
    with torch.device("meta"):
        module = create_module(name, channels, grid, width_mult=width_mult).eval()
        with FlopCounterMode(display=False) as counter:
            output = module(torch.zeros(1, channels, grid, grid))
    assert output.shape == (1, cost.channels, *cost.grid)
    assert sum(parameter.numel() for parameter in module.parameters()) == cost.params
    assert counter.get_total_flops() == 2 * cost.macs
    if width_mult == 1 and name in OUTPUTS:
        assert (cost.grid[0], cost.channels) == OUTPUTS[name]


def test_the_naive_module_passes_its_pool_through():
    assert module_cost("naive", 192, 28).channels == 64 + 128 + 32 + 192


def test_the_bottleneck_is_row_3a_of_table_1():
    assert module_cost("bottleneck", 192, 28).weights == 163_328
    assert module_cost("bottleneck", 192, 28).macs == 163_328 * 28 * 28


def test_the_grid_reductions_cost_as_section_5_says():
    """k filters to 2k on d x d: convolve first 9 * 2 d^2 k^2, pool first a quarter, in parallel an eighth."""
    k, d = 320, 34
    convolve_first, pool_first = module_cost("convolve_first", k, d), module_cost("pool_first", k, d)
    parallel = module_cost("parallel", k, d)
    assert convolve_first.macs == 9 * 2 * d**2 * k**2
    assert pool_first.macs == convolve_first.macs / 4
    assert parallel.macs == convolve_first.macs / 8
    assert {cost.channels for cost in (convolve_first, pool_first, parallel)} == {2 * k}


def test_widths_and_scale_can_be_given():
    assert module_cost("asymmetric", 768, 17, width=160, n=5).grid == (17, 17)
    assert create_module("inception_resnet_a", 384, 35, residual_scale=0.3).scale == 0.3


def test_bad_requests():
    with pytest.raises(UnknownNameError, match="unknown module 'botleneck'; did you mean 'bottleneck'"):
        create_module("botleneck", 192, 28)
    with pytest.raises(UnknownNameError, match="unknown keyword of module asymmetric 'width_'; did you mean 'width'"):
        module_cost("asymmetric", 768, 17, width_=3)
    with pytest.raises(UsageError, match="a map of 0 channels by 28 is not possible"):
        module_cost("naive", 0, 28)
