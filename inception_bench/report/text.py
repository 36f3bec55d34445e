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
