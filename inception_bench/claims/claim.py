"""A claim: what a paper or a tutorial says, how it is checked here, and what is expected to come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Claims of these kinds are decided by arithmetic on tables, which takes no time: every profile measures them.
EXACT_KINDS = ("arithmetic", "params", "macs", "memory")
KINDS = (*EXACT_KINDS, "latency", "training-dynamics", "accuracy")
# What a claim may need beside this package: nothing, a training run on a small data set, or what is not at hand.
NEEDS = ("nothing", "small-data proxy", "imagenet")
RELATIONS = ("=", ">=", "<=", ">", "<")

_BOUND = re.compile(
    r"(?P<relation>>=|<=|>|<|=)?\s*(?P<value>-?[\d.]+(?:e-?\d+)?)"
    r"(?:\s*\+-\s*(?P<percent>[\d.]+)%)?(?:\s*(?:\+-|or)\s*(?P<absolute>[\d.]+(?:e-?\d+)?))?"
)


@dataclass(frozen=True)
class Bound:
    """One claimed figure: ``relation`` to ``value``, and by how much a measured one may be off.

    ``tolerance`` is absolute, in units of the figure. For an inequality it is half the width of a band around the
    boundary in which nothing is decided.
    """

    relation: str
    value: float
    tolerance: float = 0.0

    def text(self) -> str:
        """``0.28``, or ``> 2`` where the claim is an inequality."""
        value = f"{self.value:.10g}"
        return value if self.relation == "=" else f"{self.relation} {value}"


@dataclass(frozen=True)
class Claim:
    """One entry of the ledger. ``place`` is where in the ``paper`` (or tutorial) it stands.

    ``figure`` is what the source prints and ``bounds`` the same as numbers, one for each measured figure;
    ``units`` say how each is shown (see ``show``). ``measure`` is a name of the measures' table and
    ``arguments`` its keywords. ``by_hand`` is the expected figure's calculation, worked out by
    ``calculate`` where the claim is exact; counts of whole networks in it are those of public code (BVLC's prototxt,
    torchvision, timm, Cadene, facenet-pytorch, TensorFlow-slim), not this package's.
    ``reason`` says in one line why the verdict is expected. What is timed is expected from CPUs; ``expected_cuda`` with
    ``reason_cuda`` is the verdict on a GPU, empty until one has been measured there.
    """

    id: str
    paper: str
    place: str
    kind: str
    statement: str
    condition: str
    figure: str
    bounds: tuple[Bound, ...]
    tolerance_why: str
    units: tuple[str, ...]
    measure: str
    needs: str
    expected: str
    by_hand: str
    reason: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    expected_cuda: str = ""
    reason_cuda: str = ""

    @property
    def source(self) -> str:
        """The paper or tutorial, and the place in it."""
        return f"{self.paper} {self.place}".strip()

    @property
    def is_exact(self) -> bool:
        return self.kind in EXACT_KINDS

    @property
    def is_timed(self) -> bool:
        """Whether it is about times that can be measured here; a claim about times without a measure cannot."""
        return self.kind == "latency" and bool(self.measure)

    def expected_on(self, device: str) -> str | None:
        """The verdict expected on ``cpu`` or ``cuda``; None where nobody has measured, as a guess is no expectation.

        Only times depend on the device: arithmetic is the same everywhere, and training proxies show directions.
        """
        if self.is_timed and device == "cuda":
            return self.expected_cuda or None
        return self.expected

    def reason_on(self, device: str) -> str:
        """Why that verdict is expected there, or what is expected elsewhere."""
        if self.expected_on(device) is None:
            return f"no expectation on {device} yet; on a CPU: {self.expected}, as {self.reason}"
        return self.reason_cuda if self.is_timed and device == "cuda" else self.reason

    @property
    def tolerance_text(self) -> str:
        """The tolerance of each figure, in its units; ``exact`` where none is allowed."""
        return "; ".join(f"±{bound.tolerance:.6g}" if bound.tolerance else "exact" for bound in self.bounds)

    @property
    def claimed_text(self) -> str:
        """The claimed figures as plain numbers."""
        return "; ".join(bound.text() for bound in self.bounds)


def parse_bounds(text: str) -> tuple[Bound, ...]:
    """Read ``"= 0.28; > 2; 34e6 +-2% or 7e5"``: figures with their relation and tolerance.

    A tolerance is a share of the figure, an absolute number, or the larger of both. Raises ValueError
    that shows what cannot be read.
    """
    return tuple(_parse_bound(part.strip()) for part in text.split(";")) if text else ()


def _parse_bound(text: str) -> Bound:
    match = _BOUND.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no claimed figure; write a number as 0.28, > 2, 12 +-10% or 0.11 +-0.005")
    value = float(match["value"])
    share = float(match["percent"] or 0) / 100 * abs(value)
    return Bound(match["relation"] or "=", value, max(share, float(match["absolute"] or 0)))


def show(value: float, unit: str) -> str:
    """A figure as a reader wants it: ``28 %``, ``8.71 x``, ``6.999 M``, ``1.583 G``, or a plain number."""
    if unit == "%":
        return f"{value * 100:.4g} %"
    if unit == "x":
        return f"{value:.4g} x"
    if unit in ("k", "M", "G"):
        return f"{value / {'k': 1e3, 'M': 1e6, 'G': 1e9}[unit]:.4g} {unit}"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"
