"""The optimisers of the papers, for a network's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from inception_bench.train.recipe import Recipe


class TensorFlowRMSProp(torch.optim.Optimizer):
    """RMSProp by the formula of TensorFlow 1, with which Inception-v2 to v4 were trained.

    For a gradient g, with a mean square that starts at one and a momentum m that starts at zero::

        mean_square = decay * mean_square + (1 - decay) * g^2
        m = momentum * m + rate * g / sqrt(mean_square + epsilon)
        w = w - m

    torch's own adds epsilon outside the root, starts the mean square at zero, and applies the rate
    to the sum: with the papers' epsilon of 1 its steps differ from these. (L2 is added to g beforehand.)
    Source: TensorFlow's operator ApplyRMSProp, and ``RMSPropOptimizer``, which fills its slot with ones.
    """

    def __init__(self, params: Iterable[Any], *, lr: float, decay: float, momentum: float, epsilon: float):
        super().__init__(
            params, {"lr": lr, "decay": decay, "momentum": momentum, "epsilon": epsilon, "weight_decay": 0.0}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._update(weights, group)
        return loss

    def _update(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["mean_square"] = torch.ones_like(weight)
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        squares = [self.state[weight]["mean_square"] for weight in weights]
        momenta = [self.state[weight]["momentum"] for weight in weights]
        gradients: list[Tensor] = [weight.grad for weight in weights]  # type: ignore[misc]
        # All weights at once, as torch's own optimisers do: one call an operation, not one a weight.
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, weights, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["decay"])
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["decay"])
        roots = torch._foreach_add(squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(momenta, group["momentum"])
        torch._foreach_addcdiv_(momenta, gradients, roots, value=group["lr"])
        torch._foreach_sub_(weights, momenta)


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; L2 is on the weights of convolutions and linear layers alone, as in TensorFlow-slim."""
    kernels = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    known = {id(weight) for weight in kernels}
    others = [weight for weight in network.parameters() if id(weight) not in known]
    groups = [{"params": kernels, "weight_decay": recipe.weight_decay}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    if recipe.optimiser == "sgd":
        # One pass over each weight: the same numbers bit for bit as torch's other two forms, in half their time.
        return torch.optim.SGD(groups, lr=recipe.rate, momentum=recipe.momentum, fused=True)
    return TensorFlowRMSProp(
        groups, lr=recipe.rate, decay=recipe.decay, momentum=recipe.momentum, epsilon=recipe.epsilon
    )
