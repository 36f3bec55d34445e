"""First weights that a recipe draws otherwise than the network's builder does."""

from __future__ import annotations

import math

import torch
from torch import nn

from inception_bench.models.network import Network

BIAS = 0.2


def draw_as_caffe(network: Network) -> None:
    """First weights as the released GoogLeNet's train_val.prototxt draws them, from torch's global generator.

    Its filler ``xavier`` is uniform with the variance 1 / fan_in; biases are 0.2, those of the
    classifiers 0. TensorFlow-slim's draw, twice that variance, keeps the scale of a map through a
    rectifier. It is meant for inputs from -1 to 1; this network's run from -123 to 151, nothing
    normalises them, and logits of that size make the first steps break it. Caffe's draw loses half
    of the power in each layer, so that the logits come out near 1.
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
