"""Shares and intervals against the formula, counts against a hand-made list of logits."""

import math

import pytest
import torch
from torch import nn

from inception_bench.train.accuracy import accuracy, wilson
from inception_bench.train.evaluate import evaluate
from inception_bench.train.job import Machine
from inception_bench.train.machine import make_fabric


@pytest.mark.parametrize(("right", "images"), [(8, 10), (359, 359), (0, 20)])
def test_wilson_by_the_formula(right, images):
    """(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) with z = 1.959964 (Wilson 1927)."""
    z, p, n = 1.959964, right / images, images
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    wanted = ((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n))
    assert wilson(right, images) == pytest.approx(wanted, abs=1e-6)


def test_shares():
    found = accuracy(3, 4, 5)
    assert (found.top1, found.top5, found.images) == (0.6, 0.8, 5)
    assert found.top1_ci95_low < 0.6 < found.top1_ci95_high


def test_counts_of_known_logits():
    """Seven classes; the label is the largest, the fifth and the sixth logit in turn: 1 of 3, then 2 of 3."""
    logits = torch.tensor([[7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]] * 3)
    batches = [(logits[:2], torch.tensor([0, 4])), (logits[2:], torch.tensor([5]))]
    network = nn.Identity()
    found = evaluate(network, batches, 7, make_fabric(Machine()))
    assert (found.top1, found.top5, found.images) == (1 / 3, 2 / 3, 3)
    assert network.training  # as it was


def test_fewer_than_five_classes():
    """With three classes every answer is among the first five."""
    batches = [(torch.eye(3), torch.tensor([0, 1, 0]))]
    found = evaluate(nn.Identity(), batches, 3, make_fabric(Machine()))
    assert (found.top1, found.top5) == (2 / 3, 1.0)
