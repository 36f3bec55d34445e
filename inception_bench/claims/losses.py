"""Measures of formulas that training uses: a 1x1 convolution, the smoothed loss and its gradient. They need torch."""

from __future__ import annotations

from inception_bench.claims.measures import Figures, measure

# Few random draws are enough: what is checked is an identity, which holds for any values.
_DRAWS = 64
_SEED = 1
_FAR = 1e3  # a logit so far behind or ahead that softmax is 0 or 1


@measure
def convolution_as_linear(inputs: int, outputs: int, grid: int) -> Figures:
    """The share of positions at which a 1x1 convolution equals a linear layer of the same weights within 1e-5."""
    import torch
    from torch.nn.functional import conv2d, linear

    generator = torch.Generator().manual_seed(_SEED)
    x = torch.randn(1, inputs, grid, grid, generator=generator, dtype=torch.float64)
    weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
    by_position = linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
    apart = (conv2d(x, weight[:, :, None, None]) - by_position).abs().amax(1)
    return (float((apart < 1e-5).double().mean()),)


@measure
def smoothed_loss(classes: int, epsilon: float) -> Figures:
    """torch's smoothed cross entropy over (1 - eps) H(q, p) + eps H(u, p): the draw furthest from 1."""
    import torch
    from torch.nn.functional import cross_entropy, log_softmax

    generator = torch.Generator().manual_seed(_SEED)
    logits = torch.randn(_DRAWS, classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (_DRAWS,), generator=generator)
    smoothed = cross_entropy(logits, labels, label_smoothing=epsilon, reduction="none")
    against_uniform = -log_softmax(logits, 1).mean(1)
    mixed = (1 - epsilon) * cross_entropy(logits, labels, reduction="none") + epsilon * against_uniform
    ratios = smoothed / mixed
    return (float(ratios[(ratios - 1).abs().argmax()]),)


@measure
def bounded_gradient(classes: int, epsilon: float) -> Figures:
    """The largest gradient of the plain loss by one logit, and the logit's lead at which the smoothed loss is least."""
    import torch
    from torch.nn.functional import cross_entropy

    def gradient(lead: float, smoothing: float) -> float:
        logits = torch.zeros(1, classes, dtype=torch.float64)
        logits[0, 0] = lead
        logits.requires_grad_()
        loss = cross_entropy(logits, torch.zeros(1, dtype=torch.long), label_smoothing=smoothing)
        return float(torch.autograd.grad(loss, logits)[0][0, 0])

    low, high = 0.0, 100.0
    while high - low > 1e-9:  # the gradient by the right logit rises with its lead: halve towards its zero
        middle = (low + high) / 2
        low, high = (middle, high) if gradient(middle, epsilon) < 0 else (low, middle)
    largest = max(abs(gradient(lead, 0.0)) for lead in (-_FAR, 0.0, _FAR))
    return largest, low
