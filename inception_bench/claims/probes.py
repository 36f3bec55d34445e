"""Proxies that need no training: what the first step of a network shows. They need torch.

Each is measured once a seed (first weights drawn anew), on the eight photograph windows at a small scale.
"""

from __future__ import annotations

from collections.abc import Callable

from inception_bench.data.photographs import parity_images
from inception_bench.models.public import find_table

SEEDS = (0, 1, 2, 3, 4)
WIDTH = 0.25
CLASSES = 10


def aux_gradient(seed: int) -> float:
    """Gradient norm of GoogLeNet's first filters with both aux losses over without them, 64 pixels, no batch norm."""
    import torch
    from torch.nn.functional import cross_entropy

    from inception_bench.models.public import create_model

    torch.manual_seed(seed)
    table = find_table("googlenet")
    model = create_model(table.address, num_classes=CLASSES, width_mult=WIDTH, aux=True).eval()  # no dropout
    images = torch.from_numpy(parity_images(64, table.preprocessing))
    labels = torch.randint(CLASSES, (len(images),))
    logits, aux_logits = model.forward_aux(images)
    own = cross_entropy(logits, labels)
    aux = [head.loss_weight * cross_entropy(aux_logits[head.at], labels) for head in table.aux]
    first = next(model.parameters())
    norms = [torch.autograd.grad(loss, first, retain_graph=True)[0].norm() for loss in (own + sum(aux), own)]
    return float(norms[0] / norms[1])


def residual_variance(seed: int) -> float:
    """Variance of Inception-ResNet-v1's last map at residual scale 1.0 over that at 0.2, 80 pixels."""
    import torch

    from inception_bench.models.changes import Changes
    from inception_bench.models.public import create_model

    table = find_table("inception_resnet_v1")
    images = torch.from_numpy(parity_images(80, table.preprocessing))
    variances = []
    for scale in (1.0, 0.2):
        torch.manual_seed(seed)
        changes = Changes(residual_scale=scale)
        model = create_model(table.address, num_classes=CLASSES, width_mult=WIDTH, changes=changes).train()
        with torch.no_grad():
            *_, (_, last), _ = model.forward_rows(images).items()
        variances.append(float(last.var()))
    return variances[0] / variances[1]


# By the claim's id.
PROBES: dict[str, Callable[[int], float]] = {"S1-20": aux_gradient, "I-08": residual_variance}
