"""First weights that a recipe draws in another way than the network's builder does."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from inception_bench.models.network import Network

BIAS = 0.2


# The factor on the weights of each convolution of googlenet_naive's stem. The stem has three, so maps of about 50 come
# down to about 1 (0.25^3 = 1/64).
QUIET = 0.25


def quieten_stem(network: Network) -> None:
    """Make the convolutions before the first module smaller, so that maps start near 1 and not near 50.

    A network whose modules pass their input through a pool (arXiv:1409.4842, Fig. 2a) carries the
    stem's scale to its classifier: with logits near 30 every step that is large enough to learn
    throws the logits about. The factor is spread over all of the stem's convolutions, so that their gradients
    stay comparable.
    """
    with torch.no_grad():
        for row in itertools.takewhile(lambda row: len(row.branches) == 1, network.plan.rows):
            for module in network.rows[row.name].modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(QUIET)


def draw_as_caffe(network: Network) -> None:
    """First weights as the released GoogLeNet's train_val.prototxt draws them, from torch's global generator.

    Its filler ``xavier`` is uniform with the variance 1 / fan_in; biases are 0.2, those of the
    classifiers 0. TensorFlow-slim's draw, twice that variance, keeps the scale of a map through a
    rectifier. That draw is meant for inputs from -1 to 1. GoogLeNet's inputs run from -123 to 151 and no
    layer normalises them, so its logits would be of that size, and the first steps would ruin it. Caffe's
    draw loses half of the power in each layer, so that the logits come out near 1.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                limit = math.sqrt(3 / module.weight[0].numel())
                module.weight.uniform_(-limit, limit)
                if module.bias is not None:
                    module.bias.fill_(BIAS)
        for head in ("classifier", *(f"aux.{at}.head" for at in network.aux)):
            network.get_parameter(f"{head}.linear.bias").zero_()
