"""Numbers as people read them."""

from __future__ import annotations

from inception_bench.records.statistics import Interval


def milliseconds(seconds: float | None) -> str:
    """Seconds as milliseconds with three or more digits; empty where unknown."""
    if seconds is None:
        return ""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def seconds_text(seconds: float | None) -> str:
    """``12.3 s``; empty where unknown."""
    return "" if seconds is None else f"{seconds:.1f} s"


def megabytes(size: int | None) -> str:
    """Bytes as megabytes (10^6); empty where unknown."""
    return "" if size is None else f"{size / 1e6:.0f} MB"


def bytes_text(size: int) -> str:
    """Bytes in powers of 1000: ``4.8 GB``, ``75.2 MB``, ``812 kB``, ``83 bytes``."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{size / power:.3g} {unit}" if size < 999.5 * power else f"{size / power:,.0f} {unit}"
    return f"{size} bytes"


def age(seconds: float) -> str:
    """How long ago, in one unit: ``42 s``, ``5 min``, ``3 h``, ``12 days``."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def ratio(interval: Interval | None) -> str:
    """A speed-up with its interval: ``2.13 (2.06-2.20)``."""
    return "" if interval is None else f"{interval.value:.2f} ({interval.low:.2f}-{interval.high:.2f})"


def share(interval: Interval | None) -> str:
    """A share with its interval: ``0.989 (0.971-0.996)``."""
    return "" if interval is None else f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def duration(seconds: float) -> str:
    """``0:42``, ``12:05`` or ``1:02:05``."""
    whole = max(round(seconds), 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
