"""A network as data: the paper's table, one row an end point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inception_bench.models.notation import Branch, parse_branch


@dataclass(frozen=True, init=False)
class Row:
    """One line of a paper's table: branches side by side, concatenated along channels.

    A row with a ``scale`` is residual: its branches are concatenated, brought back to the input's
    channels by a linear 1x1 convolution, multiplied by ``scale`` and added to the input
    (arXiv:1602.07261, Figs. 10-20). ``paper`` is the row's name in the paper.
    """

    branches: tuple[Branch, ...]
    paper: str
    scale: float | None
    activated: bool

    def __init__(self, *branches: str | Branch, paper: str = "", scale: float | None = None, activated: bool = True):
        parsed = tuple(parse_branch(branch) if isinstance(branch, str) else branch for branch in branches)
        object.__setattr__(self, "branches", parsed)
        object.__setattr__(self, "paper", paper)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "activated", activated)


@dataclass(frozen=True)
class Style:
    """What surrounds every convolution and pool of a definition.

    ``norm_eps`` is the epsilon of batch normalisation, or None where there is none;
    ``counts_padding`` says whether an average pool divides by the cells that padding added;
    ``same`` is how "same" padding falls at stride 2: ``symmetric`` (Caffe, torch) or ``tensorflow``.
    """

    bias: bool
    norm_eps: float | None
    counts_padding: bool = False
    same: str = "symmetric"
    activation: str = "relu"


@dataclass(frozen=True)
class Aux:
    """An auxiliary classifier on the output of the row ``at``.

    The map is first brought to the native ``grid`` (the identity at native size), so that the
    head's weights do not depend on the input size.
    """

    at: str
    grid: int
    branch: Branch
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    loss_weight: float = 0.3

    @classmethod
    def of(cls, at: str, grid: int, branch: str, **rest) -> Aux:
        return cls(at, grid, parse_branch(branch), **rest)


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes an input: ``(pixel / 255 - mean) / std``, per RGB channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Paper:
    """Where a definition comes from."""

    title: str
    source: str
    year: int


@dataclass(frozen=True)
class Table:
    """A network as its paper or release prints it. ``rows`` run in order, each on the last one's output.

    ``input_size`` is the native side in pixels and ``least_input`` the smallest that leaves every
    grid at least one cell; ``dropout`` stands before the classifier.
    """

    name: str
    definition: str
    paper: Paper
    rows: Mapping[str, Row]
    style: Style
    preprocessing: Preprocessing
    input_size: int
    least_input: int
    dropout: float = 0.0
    aux: tuple[Aux, ...] = field(default=())
    note: str = ""

    @property
    def address(self) -> str:
        """``name@definition``, or the bare name for the default definition."""
        return f"{self.name}@{self.definition}" if self.definition else self.name
