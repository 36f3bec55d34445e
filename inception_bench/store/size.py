"""Sizes as people write them: ``2GB``, ``1.5 GiB``, ``500000``."""

from __future__ import annotations

import re
from fractions import Fraction

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(i?)b)?\s*", re.IGNORECASE | re.ASCII)
FORMS = "bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 2GB"


def parse_size(text: str) -> int:
    """The bytes that ``text`` names: kB, MB, GB and TB are powers of 1000, KiB to TiB of 1024. Raises ValueError."""
    matched = _SIZE.fullmatch(text)
    if matched is None or (matched[3] and not matched[2]):
        raise ValueError(text)
    base = 1024 if matched[3] else 1000
    return int(Fraction(matched[1]) * base ** _POWERS[(matched[2] or "").lower()])
