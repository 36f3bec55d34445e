"""Probes: small experiments without training, such as what gradients the first step of a network has.

Each runs once a seed, which draws the first weights, on the eight photograph windows at a small scale. They need torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inception_bench.claims.claim import Claim, show
from inception_bench.claims.methods.base import Bench, FiguresStored
from inception_bench.claims.methods.proxy import proxies_left_out
from inception_bench.claims.outcome import Outcome, judge
from inception_bench.data.photographs import parity_images
from inception_bench.measure.guesses import Guess, Parts
from inception_bench.models.public import find_table
from inception_bench.records.statistics import mean_interval
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile

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


# A first guess of how long one takes.
_PROBE = Guess(20.0)
# By the claim's id.
PROBES: dict[str, Callable[[int], float]] = {"S1-20": aux_gradient, "I-08": residual_variance}


@dataclass(frozen=True)
class Probe(FiguresStored):
    """Run the claim's probe once a seed, and take the mean."""

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """Probes stand for training, as training proxies do, and the same profiles leave them out."""
        return proxies_left_out(profile)

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """About as long as a timed pair."""
        return {claim.id: _PROBE}

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Run the probe in this process."""
        return judge_probe(claim, [PROBES[claim.id](seed) for seed in SEEDS])


PROBE = Probe()


def judge_probe(claim: Claim, values: Sequence[float]) -> Outcome:
    """The verdict on a probe's values, one a seed."""
    mean = mean_interval(values)
    resolution = show((mean.high - mean.low) / 2, claim.units[0])
    note = f"proxy, {len(values)} seeds, could have shown {resolution}"
    return judge(claim, [mean], note)
