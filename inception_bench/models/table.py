"""A network as data: the paper's table, one row for each end point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from inception_bench.models.notation import Branch, parse_branch
from inception_bench.models.printed import NOTHING_PRINTED, UNPUBLISHED, Printed, Published, parse_printed


@dataclass(frozen=True, init=False)
class Row:
    """One line of a paper's table: branches side by side, concatenated along channels.

    A row with a ``scale`` is residual: its branches are concatenated, brought back to the input's
    channels by a linear 1x1 convolution, multiplied by ``scale`` and added to the input
    (arXiv:1602.07261, Figs. 10-20). A row with a ``shortcut`` is the older kind: its branches are
    added to the shortcut branch's output, an empty shortcut being the input itself
    (arXiv:1512.03385, Fig. 5). ``paper`` is the row's name in the paper and ``printed`` the figures
    that stand there; neighbouring rows of one name are one line of the paper, whose figures stand at
    the last of them. Raises ValueError for a branch or a figure that cannot be read.
    """

    branches: tuple[Branch, ...]
    paper: str
    scale: float | None
    activated: bool
    shortcut: Branch | None
    printed: Printed

    def __init__(
        self,
        *branches: str | Branch,
        paper: str = "",
        scale: float | None = None,
        activated: bool = True,
        shortcut: str | Branch | None = None,
        printed: str | Printed = "",
    ):
        object.__setattr__(self, "branches", tuple(_branch(branch) for branch in branches))
        object.__setattr__(self, "paper", paper)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "activated", activated)
        object.__setattr__(self, "shortcut", None if shortcut is None else _branch(shortcut))
        object.__setattr__(self, "printed", parse_printed(printed) if isinstance(printed, str) else printed)

    def with_branches(self, *branches: str | Branch, **changed: Any) -> Row:
        """This row with other branches and with the fields ``changed``; everything else stays."""
        kept = {name: getattr(self, name) for name in ("paper", "scale", "activated", "shortcut", "printed")}
        return Row(*branches, **{**kept, **changed})


@dataclass(frozen=True)
class Style:
    """What surrounds every convolution and pool of a definition.

    ``norm_eps`` is the epsilon of batch normalisation, or None where there is none;
    ``counts_padding`` says whether an average pool divides by the cells that padding added;
    ``same`` is how "same" padding falls at stride 2: ``symmetric`` (Caffe, torch) or ``tensorflow``;
    ``norm_last`` puts batch normalisation after the activation instead of before it.
    """

    bias: bool
    norm_eps: float | None
    counts_padding: bool = False
    same: str = "symmetric"
    activation: str = "relu"
    norm_last: bool = False


@dataclass(frozen=True)
class Head:
    """What turns a map into logits: average over the map (unless ``pool`` is off), then linear layers.

    ``dropout`` stands before the first linear layer. ``hidden`` are the widths of activated layers
    before the last one, each followed by ``hidden_dropout``. ``paper`` and ``printed`` are as in Row.
    """

    dropout: float = 0.0
    hidden: tuple[int, ...] = ()
    hidden_dropout: float = 0.0
    pool: bool = True
    paper: str = "linear"
    printed: Printed = NOTHING_PRINTED


@dataclass(frozen=True)
class Aux:
    """An auxiliary classifier on the output of the row ``at``.

    The map is first brought to the native ``grid`` (the identity at native size), so that the
    head's weights do not depend on the input size. ``stds`` are the standard deviations from which
    the released code draws the last weighted layers, where it names them.
    """

    at: str
    grid: int
    branch: Branch
    head: Head = Head(pool=False)
    loss_weight: float = 0.3
    stds: tuple[float, ...] = ()

    @classmethod
    def of(cls, at: str, grid: int, branch: str, **rest: Any) -> Aux:
        return cls(at, grid, parse_branch(branch), **rest)


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes an input: ``(pixel / 255 - mean) / std``, per channel in ``order``."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    order: str = "RGB"


@dataclass(frozen=True)
class Paper:
    """Where a definition comes from; ``year`` is None where the source is not dated."""

    title: str
    source: str
    year: int | None


@dataclass(frozen=True)
class Table:
    """A network as its paper or release prints it. ``rows`` run in order, each on the output of the row before.

    ``input_size`` is the native side in pixels and ``least_input`` the smallest that leaves every
    grid at least one cell; ``native_only`` networks take no other size and no other width.
    ``printed`` are the paper's figures for the whole network, ``published`` its accuracy.
    ``in_channels`` are 3 for photographs, and more where the table is one module on a map of its own.
    """

    name: str
    definition: str
    paper: Paper
    rows: dict[str, Row]
    style: Style
    preprocessing: Preprocessing
    input_size: int
    least_input: int
    head: Head = Head()
    aux: tuple[Aux, ...] = field(default=())
    note: str = ""
    native_only: bool = False
    printed: Printed = NOTHING_PRINTED
    published: Published = UNPUBLISHED
    in_channels: int = 3

    @property
    def address(self) -> str:
        """``name@definition``, or the bare name for the default definition."""
        return f"{self.name}@{self.definition}" if self.definition else self.name

    def define(self, definition: str, note: str, **changed: Any) -> Table:
        """Another definition of the network, with the fields ``changed``; its accuracy is unpublished unless given."""
        return replace(self, **{"definition": definition, "note": note, "published": UNPUBLISHED, **changed})


def _branch(branch: str | Branch) -> Branch:
    return parse_branch(branch) if isinstance(branch, str) else branch
