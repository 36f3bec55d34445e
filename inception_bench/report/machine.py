"""What the machine gave, as sentences: in this run, beside an earlier one, and what that did to speed-ups."""

from __future__ import annotations

from inception_bench.gate.stored.between import Between
from inception_bench.measure.ceilings import NoCeilings
from inception_bench.records.kinds import CELL, PAIR
from inception_bench.records.roofline import EarlierPace, Machine, spread
from inception_bench.records.statistics import median
from inception_bench.report.board import Board


def machine_line(board: Board) -> str:
    """What the machine gave during the run, and beside an earlier run; empty where nobody tried to read it."""
    not_read = board.machine.not_read
    if board.machine.pace is None:
        return f"Machine: {_not_read('what it gives was not read', not_read)}" if not_read else ""
    parts = [_given(board.machine)]
    if board.earlier is not None:
        parts.append(_beside(board.earlier))
    if not_read is not None:
        parts.append(_not_read("From some cell on what it gives was not read", not_read))
    return " ".join(parts)


def between_line(between: Between) -> str:
    """How far speed-ups moved between the runs of a machine, beside the interval within; empty for one run."""
    if not between.cells:
        return ""
    count, largest = len(between.cells), max(cell.moved for cell in between.cells)
    cells = f"median over {count} cells, at most {largest:.1%}" if count > 1 else "1 cell"
    sources = f", by {between.sources} revisions of the code," if between.sources > 1 else ""
    return (
        f"Over {len(between.runs)} runs on this machine{sources} a speed-up moved by {between.moved:.1%} ({cells}; the "
        f"interval within a run is {between.within:.1%} wide)."
    )


def between_rows(between: Between) -> list[tuple[str, ...]]:
    """A row a cell: in how many runs, its lowest and highest speed-up, how far that is, and the interval within."""
    return [
        (
            cell.label,
            str(len(cell.speedups)),
            f"{cell.lowest:.2f}",
            f"{cell.highest:.2f}",
            f"{cell.moved:.1%}",
            f"{cell.within:.1%}",
        )
        for cell in between.cells
    ]


def _given(machine: Machine) -> str:
    paces = [reading.fp32_macs_s / 1e9 for reading in machine.readings]
    copies = [reading.copy_bytes_s / 1e9 for reading in machine.readings]
    last = machine.readings[-1]
    changes = [(kind, machine.changed(kind)) for kind in (CELL, PAIR)]
    during = " and ".join(kind.counted(count) for kind, count in changes if count)
    changed = f"; its pace changed by over 10 % during {during}" if during else ""
    return (
        f"Machine: {median(paces):.3g} GMAC/s in fp32 on {last.threads} threads ({spread(paces)} over "
        f"{len(paces)} readings, {last.by}), copies {median(copies):.3g} GB/s{changed}."
    )


def _beside(earlier: EarlierPace) -> str:
    return (
        f"This machine gave {earlier.share:.0%} of what it gave in run {earlier.run.run_id} "
        f"({earlier.pace / 1e9:.3g} GMAC/s)."
    )


def _not_read(what: str, why: NoCeilings) -> str:
    reason = why.reason.rstrip(".")
    return f"{what}: {why.outcome}: {reason}."
