"""Ablations: each change alters what it names and nothing else."""

import pytest
import torch
from torch import nn

from inception_bench import Changes, complexity, create_model
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.changes import apply_changes
from inception_bench.models.complexity import cost
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table


def changed(name: str, **changes):
    return apply_changes(find_table(name), Changes(**changes))


def kinds(model: nn.Module, kind) -> list:
    return [module for module in model.modules() if isinstance(module, kind)]


def test_no_change():
    assert changed("inception_v3") == find_table("inception_v3")


def test_activation():
    model = create_model("inception_v3", width_mult=0.125, changes=Changes(activation="sigmoid"))
    assert not kinds(model, nn.ReLU)
    assert len(kinds(model, nn.Sigmoid)) == 94


def test_batch_norm_away_and_there():
    plain = create_model("inception_v3", width_mult=0.125, changes=Changes(batch_norm=False))
    assert not kinds(plain, nn.BatchNorm2d)
    assert all(convolution.bias is not None for convolution in kinds(plain, nn.Conv2d))
    # GoogLeNet's 7,280 channels: two parameters of a norm for one bias.
    assert cost(make_plan(changed("googlenet", batch_norm=True))).params == 6_998_552 + 7_280
    assert changed("googlenet", batch_norm=False) == find_table("googlenet")


def test_residual_scale():
    model = create_model("inception_resnet_v1", width_mult=0.125, changes=Changes(residual_scale=1.0)).eval()
    assert model.rows.Block35_1.scale == model.rows.Block8_5.scale == 1.0
    with pytest.raises(UsageError, match="inception_v3 has no scaled residual rows"):
        changed("inception_v3", residual_scale=0.1)
    with pytest.raises(UsageError, match="resnet50 has no scaled residual rows"):
        changed("resnet50", residual_scale=0.1)


def test_one_aux_head():
    model = create_model("googlenet", width_mult=0.125, aux=True, changes=Changes(aux_at="Mixed_4e")).eval()
    assert list(model.forward_aux(torch.zeros(1, 3, 32, 32))[1]) == ["Mixed_4e"]
    assert changed("googlenet", aux_at=()).aux == ()
    with pytest.raises(UnknownNameError, match=r"unknown aux head of googlenet 'Mixed_5b'.*known: Mixed_4b, Mixed_4e"):
        changed("googlenet", aux_at="Mixed_5b")


# arXiv:1512.00567, Table 2: the modules get the map that they get at 299 pixels (79: one cell more, which the
# reduction drops), so the network costs nearly what it does there. The paper calls the smallest "slightly cheaper":
# its two first 3x3 see 77x77 and 75x75 cells for 149x149 and 147x147.
@pytest.mark.parametrize(("stem", "size", "least", "grid"), [("151", 151, 39, 35), ("79", 79, 21, 36)])
def test_stems(stem, size, least, grid):
    table = changed("inception_v3", stem=stem)
    assert (table.input_size, table.least_input) == (size, least)
    plan = make_plan(table)
    grids = {row.name: row.output.height for row in plan.rows}
    assert (grids["MaxPool_5a_3x3"], grids["Mixed_6a"], grids["Mixed_7c"]) == (grid, 17, 8)
    assert ("MaxPool_3a_3x3" in grids) == (stem == "151")
    assert cost(plan).macs == pytest.approx(complexity("inception_v3").macs, rel=0.07)
    with torch.no_grad():
        model = create_model("inception_v3", width_mult=0.125, changes=Changes(stem=stem)).eval()
        for side in (least, least + 1, size):
            assert model(torch.zeros(1, 3, side, side)).shape == (1, 1000)
    with pytest.raises(ValueError, match=f"the least is {least} pixels"):
        make_plan(table, input_size=least - 1)


def test_stems_of_other_networks():
    assert changed("inception_v2", stem="79").input_size == 79
    for name in ("googlenet", "inception_v4", "inception_v2@stem7x7"):
        with pytest.raises(UsageError, match="needs a stem that begins 3x3/2V:32 and has a pool of its own"):
            changed(name, stem="79")
    with pytest.raises(UnknownNameError, match="unknown stem '80'"):
        changed("inception_v3", stem="80")


def test_dropout():
    assert create_model("inception_v3", width_mult=0.125, changes=Changes(dropout=0.5)).classifier.dropout.p == 0.5
    assert not kinds(create_model("inception_v3", width_mult=0.125, changes=Changes(dropout=0.0)), nn.Dropout)
    with pytest.raises(UsageError, match=r"dropout 1.0 is not possible"):
        changed("inception_v3", dropout=1.0)


def test_unknown_activation():
    with pytest.raises(UnknownNameError, match=r"unknown activation 'gelu'.*\(known: relu, sigmoid\)"):
        changed("inception_v3", activation="gelu")


def test_the_table_in_the_catalogue_stays():
    before = find_table("inception_resnet_v2").rows
    changed("inception_resnet_v2", residual_scale=1.0, batch_norm=False, dropout=0.0)
    assert find_table("inception_resnet_v2").rows is before
    assert before["Block35_1"].scale == 0.17
