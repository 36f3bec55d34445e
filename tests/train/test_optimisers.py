"""TF-style RMSProp against steps worked out by hand, and which weights L2 is on."""

import math

import pytest
import torch
from torch import nn

from inception_bench.train.optimisers import TensorFlowRMSProp, make_optimiser
from inception_bench.train.recipes import find_recipe


def test_two_steps_by_hand():
    """Rate 0.1, decay 0.9, momentum 0.9, epsilon 1; gradients 2 and 1 on a weight of 1."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimiser = TensorFlowRMSProp([weight], lr=0.1, decay=0.9, momentum=0.9, epsilon=1.0)
    # The mean square starts at one: 0.9 * 1 + 0.1 * 4 = 1.3; epsilon is inside the root.
    first = 0.1 * 2 / math.sqrt(1.3 + 1)
    weight.grad = torch.tensor([2.0], dtype=torch.float64)
    optimiser.step()
    assert weight.item() == pytest.approx(1 - first, abs=1e-12)
    # 0.9 * 1.3 + 0.1 * 1 = 1.27; the scaled gradient is what the momentum holds.
    second = 0.9 * first + 0.1 * 1 / math.sqrt(1.27 + 1)
    weight.grad = torch.tensor([1.0], dtype=torch.float64)
    optimiser.step()
    assert weight.item() == pytest.approx(1 - first - second, abs=1e-12)


def test_a_lower_rate_leaves_the_momentum_as_it_is():
    """The rate is in the momentum: at rate 0 the third step still moves by 0.9 of the last."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimiser = TensorFlowRMSProp([weight], lr=0.1, decay=0.9, momentum=0.9, epsilon=1.0)
    weight.grad = torch.tensor([2.0], dtype=torch.float64)
    optimiser.step()
    moved = 1 - weight.item()
    optimiser.param_groups[0]["lr"] = 0.0
    optimiser.step()
    assert 1 - moved - weight.item() == pytest.approx(0.9 * moved, abs=1e-12)


def test_torchs_own_rmsprop_is_another():
    """torch: mean square 0.1 * 4 = 0.4 from zero, epsilon outside the root: 0.1 * 2 / (sqrt(0.4) + 1)."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimiser = torch.optim.RMSprop([weight], lr=0.1, alpha=0.9, momentum=0.9, eps=1.0)
    weight.grad = torch.tensor([2.0], dtype=torch.float64)
    optimiser.step()
    assert 1 - weight.item() == pytest.approx(0.2 / (math.sqrt(0.4) + 1))
    assert 1 - weight.item() != pytest.approx(0.2 / math.sqrt(2.3), abs=1e-3)


@pytest.mark.parametrize(("model", "coefficient"), [("googlenet", 2e-4), ("inception_v3", 4e-5)])
def test_l2_is_on_kernels_alone(model, coefficient):
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    kernels, others = make_optimiser(network, find_recipe("quick", model)).param_groups
    assert [tuple(weight.shape) for weight in kernels["params"]] == [(4, 3, 1, 1), (2, 4)]
    assert kernels["weight_decay"] == coefficient
    assert len(others["params"]) == 4  # two biases, and scale and shift of the norm
    assert others["weight_decay"] == 0


def test_l2_is_a_pull_towards_zero():
    """Without a gradient of its own a weight of 2 has the gradient 0.5 * 2: mean square 1.0, step 0.1 / sqrt(2)."""
    weight = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimiser = TensorFlowRMSProp(
        [{"params": [weight], "weight_decay": 0.5}], lr=0.1, decay=0.9, momentum=0.9, epsilon=1.0
    )
    weight.grad = torch.zeros(1, dtype=torch.float64)
    optimiser.step()
    assert 2 - weight.item() == pytest.approx(0.1 / math.sqrt(0.9 + 0.1 * 1 + 1), abs=1e-12)
