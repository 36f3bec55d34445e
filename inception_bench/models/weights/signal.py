"""Weights that keep signal: a random network whose output still depends on the image.

Parity and timing need such weights. With a framework's default initialisation a deep network's logits hardly
differ between images, and a wrong layer hides in rounding. So filters are He-normal, batch norm
statistics are calibrated on photographs, and the batch norm bias is 1. (With bias 0 the ReLUs of a
76-deep network amplify rounding to the size of a real fault.) Where the norm comes after the
activation, its bias cannot keep the ReLUs open; there the convolution's own bias is calibrated to
do so (GoogLeNet of the Keras listing errs by 4e-4 of the spread without that, and by 4e-6 with it).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SEED = 20140917  # the day on which arXiv:1409.4842 appeared


def keep_signal(model: nn.Module, images: Tensor, seed: int = SEED) -> None:
    """Fill ``model`` in place from ``seed`` and calibrate its batch norms on ``images`` (N, 3, H, W).

    The statistics of a 1x1 map are over the images alone, so that at least two are needed: raises
    ValueError for fewer. The model is left in evaluation mode.
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} image given; calibration needs at least 2")
    generator = torch.Generator().manual_seed(seed)
    norms: list[nn.BatchNorm2d] = []
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                _fill(module, generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.weight.fill_(1.0)
                module.bias.fill_(1.0)
                norms.append(module)
        _calibrate(model, norms, images)
    model.eval()


def _fill(module: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    fan_in = module.weight[0].numel()
    # Rectified inputs lose half their power, hence 2 (He et al., arXiv:1502.01852, eq. 10).
    module.weight.normal_(0.0, (2.0 / fan_in) ** 0.5, generator=generator)
    if module.bias is not None:
        module.bias.normal_(0.0, 0.1, generator=generator)


def _calibrate(model: nn.Module, norms: list[nn.BatchNorm2d], images: Tensor) -> None:
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    model.eval()  # dropout stays off; only the norms see batch statistics
    for norm in norms:
        norm.train()
        norm.momentum = None  # a plain average, so one pass sets the statistics
    hooks = [conv.register_forward_hook(_open_activation) for conv in _convs_before_their_activation(model)]
    run = getattr(model, "forward_aux", model)  # the norms of aux heads are calibrated too
    run(images)
    for hook in hooks:
        hook.remove()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _convs_before_their_activation(model: nn.Module) -> list[nn.Conv2d]:
    """The convolutions of steps in the order convolution, activation, norm."""
    convs = []
    for module in model.modules():
        names = list(dict(module.named_children()))
        if {"conv", "activation", "norm"} <= set(names) and names.index("activation") < names.index("norm"):
            convs.append(module.get_submodule("conv"))
    return [conv for conv in convs if isinstance(conv, nn.Conv2d)]


def _open_activation(conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """Shift the bias so that each channel's mean lies one standard deviation above zero, as a norm bias of 1 would."""
    if conv.bias is None:
        return output
    shift = output.std((0, 2, 3)) - output.mean((0, 2, 3))
    conv.bias += shift
    return output + shift[:, None, None]
