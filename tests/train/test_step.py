"""One step against the formulas: the loss with aux heads and label smoothing, clipping, the update."""

from __future__ import annotations

import copy

import pytest
import torch

from inception_bench.train.assembly import assemble
from inception_bench.train.job import Machine
from inception_bench.train.machine import make_fabric
from inception_bench.train.step import largest_activation

CLASSES = 10


@pytest.fixture
def batch():
    draws = torch.Generator().manual_seed(1)
    return torch.randn(4, 3, 32, 32, generator=draws), torch.tensor([1, 3, 5, 9])


def assembled(tiny, *, model="googlenet", **recipe):
    plain = {"dropout": False, "momentum": 0.0, "weight_decay": 0.0, "averaging": None, **recipe}
    return assemble(tiny(model, **plain), CLASSES, make_fabric(Machine()))


def cross_entropy(logits, labels, smoothing: float = 0.0):
    """-sum over classes of the target's share times the log of the softmax (arXiv:1512.00567, section 7)."""
    shares = torch.full((len(labels), CLASSES), smoothing / CLASSES)
    shares[range(len(labels)), labels] += 1 - smoothing
    return -(shares * (logits - logits.exp().sum(1, keepdim=True).log())).sum(1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_classifiers_and_three_tenths_of_each_aux_heads(tiny, batch, smoothing):
    """arXiv:1409.4842, section 5: the losses of the auxiliary classifiers were weighted by 0.3."""
    made = assembled(tiny, label_smoothing=smoothing)
    logits, aux = made.network.forward_aux(batch[0])
    parts = [cross_entropy(one, batch[1], smoothing) for one in (logits, *aux.values())]
    assert len(parts) == 3
    wanted = parts[0] + 0.3 * parts[1] + 0.3 * parts[2]
    assert made.step.loss_of(*batch).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_without_aux_heads_the_loss_is_the_classifiers(tiny, batch):
    made = assembled(tiny, aux=False)
    assert not made.network.aux
    assert made.step.loss_of(*batch).item() == pytest.approx(cross_entropy(made.network(batch[0]), batch[1]).item())


@pytest.mark.parametrize("clip", [None, 0.01])
def test_a_step_of_plain_descent(tiny, batch, clip):
    """Without momentum and L2 a weight moves by rate times gradient, which clipping shortens to its limit."""
    made = assembled(tiny, clip=clip)
    before = copy.deepcopy(made.network)
    cross = made.step.loss_of(*batch)
    gradients = torch.autograd.grad(cross, list(made.network.parameters()))
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    share = 1.0 if clip is None else clip / norm
    assert share <= 1
    made.step(*batch, 0.5)
    for old, new, gradient in zip(before.parameters(), made.network.parameters(), gradients, strict=True):
        assert torch.allclose(new, old - 0.5 * share * gradient, rtol=1e-4, atol=1e-6)


def test_the_row_of_the_largest_activation(tiny, batch):
    made = assembled(tiny)
    with torch.no_grad():
        made.network.rows["Mixed_4c"].branches[0][0].conv.weight.fill_(1e6)
    assert largest_activation(made.network, batch[0])[0] not in ("Conv2d_1a_7x7", "Mixed_4b")
    with torch.no_grad():
        made.network.rows["Mixed_4c"].branches[0][0].conv.weight.fill_(float("nan"))
    assert largest_activation(made.network, batch[0])[0] == "Mixed_4c"
