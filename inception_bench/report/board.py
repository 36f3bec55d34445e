"""The leaderboard as a value: one row a cell, ranked within each network. Rendering is elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from inception_bench.backends.base import UNKNOWN
from inception_bench.gate.stored.between import ONE_RUN, Between, between_runs
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.ceilings import IMPOSSIBLE, SAME_STATE
from inception_bench.measure.measurement import Measurement
from inception_bench.measure.parity import finite
from inception_bench.records.kinds import CELL
from inception_bench.records.record import Record
from inception_bench.records.roofline import NOT_READ, EarlierPace, Machine, earlier_pace, roofline_fraction
from inception_bench.records.sampling import half_width
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import Interval, median, percentile_upper
from inception_bench.report.text import milliseconds
from inception_bench.spec.profile import LEAST_ROUNDS
from inception_bench.spec.runtime import runtime_text

WIDE_INTERVAL = 0.10
UNREAD = "the engine does not show in what precision it computes"


@dataclass(frozen=True)
class BoardRow:
    """One cell. The fields are the columns of ``leaderboard.csv``, in order; None is unknown, written empty.

    Seconds, bytes, images a second, shares from 0 to 1.
    """

    rank: str | None
    model: str
    definition: str
    backend: str
    device: str
    precision: str
    batch_size: int
    input_size: int
    width_mult: float
    num_classes: int
    weights: str
    threads: int
    outcome: str
    reason: str
    params: int | None
    macs: int | None
    latency_s_p50: float | None = None
    latency_s_p90: float | None = None
    latency_s_p99: float | None = None
    throughput_img_s: float | None = None
    speedup_vs_eager: float | None = None
    speedup_ci95_low: float | None = None
    speedup_ci95_high: float | None = None
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None
    artifact_bytes: int | None = None
    build_s: float | None = None
    first_call_s: float | None = None
    parity_error: float | None = None
    parity_limit: float | None = None
    top1_agreement: float | None = None
    top1: float | None = None
    top1_ci95_low: float | None = None
    top1_ci95_high: float | None = None
    top5: float | None = None
    accuracy_images: int | None = None
    dataset: str | None = None
    roofline_fraction: float | None = None
    rounds: int | None = None
    pairs: int | None = None
    preempted_share: float | None = None
    clock: str | None = None
    transfer: str | None = None
    options: str = "{}"
    resumed_from: str | None = None
    run_id: str = ""

    @property
    def group(self) -> tuple[Any, ...]:
        """The cells that compete: one network as it is run, on one device, batch and input size."""
        network = (self.model, self.definition, self.width_mult, self.num_classes, self.weights)
        return (*network, self.device, self.batch_size, self.input_size, self.threads)

    @property
    def address(self) -> str:
        return f"{self.model}@{self.definition}" if self.definition else self.model

    @property
    def backend_text(self) -> str:
        """The runtime with its options, as a user writes it."""
        return runtime_text(self.backend, json.loads(self.options))

    @property
    def speedup(self) -> Interval | None:
        if self.speedup_vs_eager is None or self.speedup_ci95_low is None or self.speedup_ci95_high is None:
            return None
        return Interval(self.speedup_vs_eager, self.speedup_ci95_low, self.speedup_ci95_high)

    @property
    def accuracy(self) -> Interval | None:
        """Top-1 with its interval."""
        if self.top1 is None or self.top1_ci95_low is None or self.top1_ci95_high is None:
            return None
        return Interval(self.top1, self.top1_ci95_low, self.top1_ci95_high)

    @property
    def is_wide(self) -> bool:
        """Whether the speed-up's interval is wider than 10 % of it: read such a row with care."""
        return self.speedup is not None and self.speedup.relative_width > WIDE_INTERVAL

    @property
    def is_unread(self) -> bool:
        """Whether ``precision`` is only what was asked for: the engine did not show in what precision it computes."""
        return UNREAD in self.reason

    @property
    def precision_text(self) -> str:
        """The precision as people read it: ``?`` marks a precision that the engine did not show."""
        return self.precision + (" ?" if self.is_unread else "")


COLUMNS = tuple(field.name for field in fields(BoardRow))


@dataclass(frozen=True)
class Board:
    """Ranked rows of one run: networks in the order of measuring, each with its fastest first.

    ``machine`` is what the run's machine gave meanwhile, ``earlier`` what it gave in an earlier run, and ``between``
    how far its speed-ups moved between runs; None and empty where no other run is known.
    """

    rows: tuple[BoardRow, ...]
    machine: Machine = NOT_READ
    earlier: EarlierPace | None = None
    between: Between = ONE_RUN

    @property
    def impossible(self) -> list[BoardRow]:
        """Rows that beat the machine's ceiling by more than a reading can be off: something is wrong in them."""
        return [row for row in self.rows if (row.roofline_fraction or 0.0) > IMPOSSIBLE]

    def groups(self) -> list[list[BoardRow]]:
        groups: dict[tuple[Any, ...], list[BoardRow]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row)
        return list(groups.values())


def make_board(records: Sequence[Record[Any]], others: Iterable[Record[Any]] = ()) -> Board:
    """Rank all cells among ``records``, those of one run; the last record of a cell counts.

    ``others`` are records of any runs, this one too: what its machine gave at other times is told beside the rows.
    """
    machine, others = Machine.of_run(records), list(others)
    groups = Board(tuple(read_row(record, machine) for record in CELL.newest(records).values())).groups()
    rows = tuple(row for group in groups for row in rank_group(group))
    earlier = earlier_pace(machine, records[-1].run, others) if records else None
    return Board(rows, machine, earlier, between_runs(records, others))


def rank_group(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """Give each timed row its rank ``lo-hi`` among ``rows`` and sort by it.

    ``lo`` is one more than the number of rows that are surely faster: their whole interval lies above this
    row's. ``hi`` is the number of rows that are not surely slower, this row included. So rows whose
    intervals overlap share ranks. Rows without a time come last and have no rank.
    """
    timed = [(row, row.speedup) for row in rows if row.speedup is not None]
    ranked = []
    for row, own in timed:
        others = [speedup for _, speedup in timed]
        low = 1 + sum(other.low > own.high for other in others)
        high = sum(other.high >= own.low for other in others)
        ranked.append((low, high, -own.value, replace(row, rank=f"{low}-{high}")))
    ranked.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in ranked] + [row for row in rows if row.speedup is None]


def read_row(record: Record[Measurement], machine: Machine = NOT_READ) -> BoardRow:
    """A record as a row, not yet ranked; ``machine`` is its run's. Times are read only where the outcome is ok."""
    case, body = record.own_case.to_json(), record.body
    row = BoardRow(
        rank=None,
        **{name: value for name, value in case.items() if name not in ("weights", "data")},
        weights=body.weights,
        dataset=case["data"] or None,
        outcome=body.outcome,
        reason=body.reason,
        params=record.params,
        macs=record.macs,
        resumed_from=record.resumed_from,
        run_id=record.run.run_id,
    )
    if body.parity is not None:
        row = replace(row, parity_error=finite(body.parity.error), parity_limit=body.parity.limit)
    if body.accuracy is not None:
        row = replace(row, **_accuracy(body.accuracy))
    if not body.is_ok:
        return row
    if body.attest is not None and UNKNOWN in body.attest.precision.split("+"):
        row = replace(row, reason=UNREAD)
    return _beside_machine(_timed(replace(row, **_costs(body)), record), record, machine)


def _accuracy(counts: Counts) -> dict[str, Any]:
    accuracy = counts.accuracy()
    return {
        "top1_agreement": counts.agreement,
        "top1": accuracy.top1,
        "top1_ci95_low": accuracy.top1_ci95_low,
        "top1_ci95_high": accuracy.top1_ci95_high,
        "top5": accuracy.top5,
        "accuracy_images": counts.images,
    }


def _costs(body: Measurement) -> dict[str, Any]:
    return {
        "peak_rss_bytes": body.peak_rss_bytes,
        "peak_device_bytes": body.peak_device_bytes,
        "artifact_bytes": body.artifact and body.artifact.size_bytes,
        "build_s": body.artifact and body.artifact.build_s,
        "first_call_s": body.first_call_s,
    }


def _beside_machine(row: BoardRow, record: Record[Measurement], machine: Machine) -> BoardRow:
    """The row with its share of the machine's ceiling, and a mark where the machine changed or was beaten."""
    if row.latency_s_p50 is None:
        return row
    fraction = roofline_fraction(record, row.latency_s_p50, machine)
    state = machine.state(record)
    if state.has_changed:
        row = _marked(row, state.mark)
    if fraction is not None and fraction > 1:
        row = _marked(row, f"{fraction:.0%} of the machine's measured ceiling")
    return replace(row, roofline_fraction=fraction)


def _marked(row: BoardRow, mark: str) -> BoardRow:
    """A row whose time stays, with one more thing that its reader must know."""
    return replace(row, reason=f"{row.reason}; {mark}" if row.reason else mark)


def _timed(row: BoardRow, record: Record[Measurement]) -> BoardRow:
    rounds, aim = record.body.timed, record.body.aim
    p50, ratio = median(rounds.candidate_s), speedup(record)
    if len(rounds) < LEAST_ROUNDS:
        raise ValueError(
            f"{row.address} on {row.backend}: {len(rounds)} rounds are too few; an ok cell has {LEAST_ROUNDS}"
        )
    timed = replace(
        row,
        latency_s_p50=p50,
        latency_s_p90=percentile_upper(rounds.candidate_s, 0.90),
        latency_s_p99=percentile_upper(rounds.candidate_s, 0.99),
        throughput_img_s=row.batch_size / p50,
        speedup_vs_eager=ratio.value,
        speedup_ci95_low=ratio.low,
        speedup_ci95_high=ratio.high,
        rounds=len(rounds),
        pairs=rounds.pairs,
        preempted_share=rounds.preempted_share(),
        clock="host",
        transfer="excluded",
    )
    # A shared machine has states that last for minutes, in which eager was seen to take a quarter longer and ONNX
    # Runtime an eighth: a ratio over pairs from two of them is of neither.
    by_pair = rounds.reference_by_pair()
    fastest, slowest = min(by_pair), max(by_pair)
    if slowest / fastest > 1 + SAME_STATE:
        pace = f"{milliseconds(fastest)} to {milliseconds(slowest)}"
        timed = _marked(timed, f"the machine changed between its pairs: eager itself took {pace}")
    if timed.is_wide:
        return _marked(timed, f"speed-up interval wider than {WIDE_INTERVAL:.0%}")
    if aim is not None and half_width(ratio) > aim:
        return _marked(timed, f"speed-up interval of ±{half_width(ratio):.2%}, ±{aim:.0%} was aimed at")
    return timed
