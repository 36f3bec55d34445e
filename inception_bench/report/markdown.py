"""The board as a Markdown page, and what all pages share: their tables, and the sentence about machine and run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from inception_bench.gate.stored.between import Between
from inception_bench.records.record import Run
from inception_bench.report.board import UNREAD, Board, BoardRow
from inception_bench.report.machine import between_line, between_rows, machine_line
from inception_bench.report.pairs import PairRow
from inception_bench.report.text import megabytes, milliseconds, ratio, seconds_text, share

_HEADS = (
    "rank", "backend", "precision", "p50", "p90", "img/s", "speed-up vs eager", "peak RSS",
    "artifact", "build", "first call", "parity error", "top-1 (95 %)", "as eager",
)  # fmt: skip
_BETWEEN_HEADS = ("cell", "runs", "lowest", "highest", "moved", "within")
_HOW = """\
Every time is one call on the host until synchronised, input already in place, in a fresh process whose output
first agreed with eager float64 on photographs. Each round of a runtime has a round of eager beside it. {how}
`~` marks an interval wider than 10 %. Ranks tie where intervals overlap."""
_REPLICATED = """\
Speed-up is estimated over several pairs of fresh processes of both, and the pair is the unit: two processes of one
program differ for as long as they live. How often its 95 % interval holds the truth was measured: see
`docs/intervals.md`."""
_WITHIN_ONE = """\
Speed-up is the median of the ratios of these rounds. Its interval is over the rounds of one pair of processes; two
processes of one program differ by a percent for as long as they live, which is not in it: it is no 95 % interval."""


def board_page(board: Board, run: Run, training: str = "") -> str:
    """The whole page: what was measured where, a table a network, what could not be measured, and what was trained."""
    how = _HOW.format(how=_WITHIN_ONE if within_one_pair(board.rows) else _REPLICATED)
    machine = filter(None, [machine_line(board), between_line(board.between)])
    parts = ["# Leaderboard", about(run), *machine, how]
    parts += [_group(group) for group in board.groups()]
    parts += [_between(board.between)] if board.between.cells else []
    parts += [training] if training else []
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; text stays as it is given, but for a bar, which would end its cell.

    Columns are not padded to their widest cell: on these pages that is often a sentence.
    """
    lines = [[cell.replace("|", "/") for cell in row] for row in rows]
    rule = f"| {' | '.join('---' for _ in heads)} |"
    if find_spec("tabulate") is None:  # a GPU host that runs the source tree without all packages
        return "\n".join([f"| {' | '.join(heads)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)])
    from tabulate import DataRow, TableFormat, tabulate

    row = DataRow("| ", " | ", " |")
    form = TableFormat(None, lambda *_: rule, None, None, row, row, padding=0, with_header_hide=None)
    made: str = tabulate(lines, heads, form, numalign=None, stralign=None, disable_numparse=True)
    return made


def about(run: Run) -> str:
    """The machine, the versions and the run, in one sentence."""
    environment = run.environment
    packages = ", ".join(
        f"{name} {environment['packages'][name]}"
        for name in ("torch", "onnxruntime")
        if name in environment["packages"]
    )
    revision = f", revision {environment['git_revision'][:10]}" if environment["git_revision"] else ""
    return (
        f"{environment['cpu']}, {environment['usable_cores']} cores, {environment['memory_bytes'] / 2**30:.0f} GiB; "
        f"Python {environment['python']}, {packages}{revision}; profile {run.profile}, run {run.run_id}."
    )


def _between(between: Between) -> str:
    """How far each cell moved between the runs of its machine."""
    runs = ", ".join(f"{run.run_id} ({run.profile})" for run in between.runs)
    how = (
        f"Runs on this machine and with these versions: {runs}. Moved is the largest speed-up over the smallest, less "
        "1; within is the same of the ends of the interval of one run."
    )
    return f"## Between runs\n\n{how}\n\n{table(_BETWEEN_HEADS, between_rows(between))}"


def _group(rows: Sequence[BoardRow]) -> str:
    first = rows[0]
    width = f", width {first.width_mult:g}" if first.width_mult != 1 else ""
    seen = f"; accuracy on {first.accuracy_images:,} images of {first.dataset}" if first.accuracy_images else ""
    title = (
        f"## {first.address}, batch {first.batch_size}, {first.input_size} px{width}, {first.device}, "
        f"{first.threads} threads\n\n"
        f"{first.params:,} params, {first.macs:,} MACs an image; weights: {first.weights or 'none'}{seen}"
    )
    timed = [row for row in rows if row.outcome == "ok"]
    parts = [title]
    if timed:
        parts.append(table(_heads(timed), map(cells, timed)))
    if any(row.is_unread for row in timed):
        parts.append(f"`?`: {UNREAD}; it was asked for the one that is named.")
    untimed = [
        f"* {row.backend_text} {row.precision}: **{row.outcome}**: {row.reason}" for row in rows if row.outcome != "ok"
    ]
    if untimed:
        parts.append("\n".join(untimed))
    return "\n\n".join(parts)


def within_one_pair(rows: Iterable[BoardRow | PairRow]) -> bool:
    """Whether the speed-up of some timed row is of one pair of processes, so that its interval is no 95 % interval."""
    return any(row.pairs == 1 for row in rows)


def interval_name(rows: Iterable[BoardRow | PairRow]) -> str:
    """What the head of a column calls the intervals of the rows' speed-ups."""
    return "within one pair" if within_one_pair(rows) else "95 %"


def _heads(rows: Sequence[BoardRow]) -> list[str]:
    return [f"{head} ({interval_name(rows)})" if head.startswith("speed-up") else head for head in _HEADS]


def cells(row: BoardRow) -> list[str]:
    """A timed row as text, a cell a column of the page."""
    return [
        row.rank or "",
        row.backend_text,
        row.precision_text,
        milliseconds(row.latency_s_p50),
        milliseconds(row.latency_s_p90),
        f"{row.throughput_img_s:.3g}" if row.throughput_img_s is not None else "",
        ratio(row.speedup) + (" ~" if row.is_wide else ""),
        megabytes(row.peak_rss_bytes),
        megabytes(row.artifact_bytes),
        seconds_text(row.build_s),
        milliseconds(row.first_call_s),
        f"{row.parity_error:.1e}" if row.parity_error is not None else "",
        share(row.accuracy),
        f"{row.top1_agreement:.2%}" if row.top1_agreement is not None else "",
    ]
