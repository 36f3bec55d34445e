"""Modules as small tables: what each pair saves by the papers' formulas, its input, and that no list shows it."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from inception_bench import create_model, list_models
from inception_bench.data.maps import feature_maps, network_images
from inception_bench.errors import UsageError
from inception_bench.measure.pairing import HANDFUL, named_pairs, runtimes, selected_pairs
from inception_bench.measure.selection import Request, select
from inception_bench.models.complexity import complexity
from inception_bench.models.public import find_table, list_definitions
from inception_bench.models.tables.factorisations import factorisations, module_tables, network_pairs

# MACs saved in the branches alone, by hand; the classifier's few are left out.
SAVED = {
    "3x3_for_5x5": 1 - 9 / 25,
    "two_3x3_for_5x5": 1 - 18 / 25,
    "two_3x3_in_3a": 1 - (192 * 16 + 9 * (16 * 32 + 32 * 32)) / (192 * 16 + 25 * 16 * 32),
    "1x1_before_5x5": 1 - 12_443_648 / 120_422_400,
    "1x3_3x1_for_3x3": 1 / 3,
    "1x3_3x1_on_73": 1 / 3,
    "1x7_7x1_for_7x7": 1 - 2 / 7,
    "1x3_beside_3x1": 1 - 2 * 384 * 3 / (768 * 9),
    "pool_first": 1 - 18**2 / 35**2,
    "parallel_reduction": 1 - 18**2 / (2 * 35**2),
    "separable_stem": 1 - 2712 / 9408,
}


def rows_macs(address):
    return sum(row.macs for row in complexity(address, num_classes=10).rows[:-1])


@pytest.mark.parametrize("name", SAVED)
def test_macs_saved(name):
    found = factorisations()[name]
    assert 1 - rows_macs(found.new) / rows_macs(found.old) == pytest.approx(SAVED[name], abs=1e-12)


@pytest.mark.parametrize("name", factorisations())
def test_both_sides_read_and_give_the_same_map(name):
    old, new = (find_table(address) for address in (factorisations()[name].old, factorisations()[name].new))
    assert (old.in_channels, old.input_size) == (new.in_channels, new.input_size)
    sides = [complexity(table.address, num_classes=10).rows[-2] for table in (old, new)]
    assert (sides[0].grid, sides[0].channels) == (sides[1].grid, sides[1].channels)


@pytest.mark.parametrize("address", module_tables())
def test_table_and_module_agree(address):
    table = find_table(address)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model = create_model(address, num_classes=10).eval()
        logits = model(torch.zeros(1, table.in_channels, table.input_size, table.input_size))
    assert logits.shape == (1, 10)
    assert counter.get_total_flops() == 2 * complexity(address, num_classes=10).macs


def test_no_list_shows_a_module():
    assert not [name for name in (*list_models(), *list_definitions()) if name.startswith("module.")]
    with pytest.raises(UsageError, match=r"unknown model 'module\.5x5@7x7x7'.*module\.5x5@28x28x64"):
        find_table("module.5x5@7x7x7")


def test_maps_are_filtered_photographs():
    """One filter by hand: map 3 of image 1 at (5, 7) is the rectified product with the 3x3 window around it."""
    images = np.random.default_rng(3).normal(size=(2, 3, 9, 9)).astype(np.float32)
    maps = feature_maps(images, 16)
    assert maps.shape == (2, 16, 9, 9)
    filters = np.random.default_rng(20151202).normal(0.0, (2 / 27) ** 0.5, (16, 27)).astype(np.float32)
    by_hand = max(float((images[1, :, 4:7, 6:9] * filters[3].reshape(3, 3, 3)).sum()), 0.0)
    assert maps[1, 3, 5, 7] == pytest.approx(by_hand, abs=1e-5)
    assert (maps >= 0).all()


def test_photographs_stay_photographs():
    assert network_images(find_table("googlenet"), 32).shape == (8, 3, 32, 32)
    assert network_images(find_table("module.5x5@28x28x64"), 28).shape == (8, 64, 28, 28)


def test_pairs_of_a_profile():
    short = select(Request(models="googlenet,alexnet", backends="eager,onnxruntime", threads="1"))
    pairs = selected_pairs(short)
    assert len(pairs) == len(HANDFUL) * 2
    assert (
        {pair.new.runtime.backend for pair in pairs}
        == {pair.old.runtime.backend for pair in pairs}
        == {"eager", "onnxruntime"}
    )
    assert all(pair.new.network.num_classes == pair.old.network.num_classes == 10 for pair in pairs)
    whole = select(Request(profile="standard", models="googlenet", backends="eager", threads="1"))
    assert len(selected_pairs(whole)) == len(factorisations()) * 2  # batch 1 and 8
    assert len(runtimes(whole.cases)) == 2


def test_a_claim_may_name_its_own_runtime_and_batch():
    (pair,) = named_pairs(
        "inception_resnet_v2_for_inception_v4",
        select(Request(backends="onnxruntime,eager", threads="1")).cases,
        backends=["eager[pass=training]"],
        batch_sizes=[1],
    )
    assert pair.id == "inception_resnet_v2_for_inception_v4-eager[pass=training]-cpu-fp32-b1"
    assert (pair.new.network.address, pair.old.network.address) == ("inception_resnet_v2", "inception_v4")
    assert pair.new.network.num_classes == 1000
    assert set(network_pairs()) == {"googlenet_for_vgg16", "inception_resnet_v2_for_inception_v4"}
