"""``modules.md``: where factorisation pays and where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from inception_bench.records.record import Run
from inception_bench.records.statistics import Interval
from inception_bench.report.markdown import about, interval_name, table
from inception_bench.report.pairs import PairRow
from inception_bench.report.text import milliseconds, ratio

_HEADS = (
    "runtime",
    "batch",
    "replaced",
    "replacement",
    "speed-up",
    "time saved",
    "time per MACs saved",
)
_HOW = """\
Each factorisation stands beside what it replaces: pairs of fresh processes of one runtime, round beside round in random
order, each after its output agreed with eager float64. A module is followed by the same average and a linear layer of
ten outputs on both sides. The last column is the share of time saved over the share of MACs saved: 1 where every MAC
saved is time saved, 0 where none is, below 0 where fewer MACs take longer."""


def pairs_page(rows: Sequence[PairRow], run: Run) -> str:
    """The whole page: a table a factorisation."""
    parts = ["# Where factorisation pays", about(run), _HOW]
    parts += [_group(list(group)) for _, group in groupby(rows, key=lambda row: row.pair)]
    return "\n\n".join(parts) + "\n"


def _group(rows: Sequence[PairRow]) -> str:
    first = rows[0]
    share = abs(first.macs_saved)
    words = f"saves {share:.0%} of the MACs" if first.macs_saved > 0 else f"costs {share:.0%} more MACs"
    title = f"## {first.what} ({first.source})\n\n`{first.replacement}` for `{first.replaced}`: {words}."
    timed = [_cells(row) for row in rows if row.outcome == "ok"]
    others = [row for row in rows if row.outcome != "ok"]
    untimed = "\n".join(f"* {row.backend} batch {row.batch_size}: **{row.outcome}**: {row.reason}" for row in others)
    heads = [f"{head} ({interval_name(rows)})" if head == "speed-up" else head for head in _HEADS]
    parts = [title, table(heads, timed) if timed else "", untimed]
    return "\n\n".join(part for part in parts if part)


def _cells(row: PairRow) -> list[str]:
    speedup = None
    if row.speedup is not None and row.speedup_ci95_low is not None and row.speedup_ci95_high is not None:
        speedup = Interval(row.speedup, row.speedup_ci95_low, row.speedup_ci95_high)
    return [
        row.backend,
        str(row.batch_size),
        milliseconds(row.latency_s_p50_replaced),
        milliseconds(row.latency_s_p50),
        ratio(speedup),
        f"{row.time_saved:.0%}" if row.time_saved is not None else "",
        f"{row.time_saved_per_macs_saved:.2f}" if row.time_saved_per_macs_saved is not None else "",
    ]
