"""What a paper prints beside a line of its table, and what was published about a network's accuracy."""

from __future__ import annotations

import re
from dataclasses import dataclass

# In Table 1 of arXiv:1409.4842 a K of parameters is 1024: 64 * 64 + 64 * 192 * 9 = 114688 is printed as 112K, and
# 1024 * 1000 as 1000K.
K_PARAMS = 1024
M_MACS = 1e6

_WORD = re.compile(r"(?P<output>\d+x\d+x\d+)|(?P<params>[\d.]+)K|(?P<macs>[\d.]+)M|x(?P<rows>\d+)")


@dataclass(frozen=True)
class Printed:
    """The figures of one line, or of a whole network; None where the paper prints none.

    ``output`` is (rows, columns, channels), ``params`` a number of weights, ``macs`` multiply-accumulates, and
    ``rows`` how many modules the line stands for ("5 x Inception").
    """

    output: tuple[int, int, int] | None = None
    params: float | None = None
    macs: float | None = None
    rows: int | None = None

    def __bool__(self) -> bool:
        return self != NOTHING_PRINTED


@dataclass(frozen=True)
class Published:
    """Single-crop accuracy on the ILSVRC-2012 validation set as shares 0..1, and where it is stated."""

    top1: float | None = None
    top5: float | None = None
    source: str = ""


NOTHING_PRINTED = Printed()
UNPUBLISHED = Published()


def parse_printed(text: str) -> Printed:
    """Read ``"28x28x256 159K 128M x3"``: output, params (K = 1024), MACs (M = 1e6), modules; all optional."""
    figures: dict[str, str] = {}
    for word in text.split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} in {text!r} is no printed figure; write 28x28x256, 159K, 128M or x3")
        figures.update({key: value for key, value in match.groupdict().items() if value})
    height, width, channels = (int(n) for n in figures.get("output", "0x0x0").split("x"))
    return Printed(
        (height, width, channels) if "output" in figures else None,
        float(figures["params"]) * K_PARAMS if "params" in figures else None,
        float(figures["macs"]) * M_MACS if "macs" in figures else None,
        int(figures["rows"]) if "rows" in figures else None,
    )
