"""``modules.csv``: what each factorisation saves in MACs, what it saves in time, and their quotient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from inception_bench.measure.counting import network_complexity
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.models.tables.factorisations import factorisations, network_pairs
from inception_bench.records.kinds import PAIR
from inception_bench.records.pairs import pair_of
from inception_bench.records.record import Record
from inception_bench.records.roofline import NOT_READ, Machine
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import median


@dataclass(frozen=True)
class PairRow:
    """One factorisation. The fields are the columns of ``modules.csv``, in order; None is unknown, written empty.

    ``macs_saved`` and ``time_saved`` are shares of what the replaced network needs, below 0 where the
    replacement needs more; ``time_saved_per_macs_saved`` is 1 where every MAC saved is time saved.
    ``speedup`` is the time of the replaced over that of the replacement, with its 95 % interval over
    ``pairs`` pairs of processes (within one pair where there is one).
    """

    pair: str
    what: str
    source: str
    replaced: str
    replacement: str
    backend: str
    device: str
    precision: str
    batch_size: int
    threads: int
    outcome: str
    reason: str
    macs_replaced: int
    macs: int
    macs_saved: float
    time_saved: float | None = None
    time_saved_ci95_low: float | None = None
    time_saved_ci95_high: float | None = None
    time_saved_per_macs_saved: float | None = None
    speedup: float | None = None
    speedup_ci95_low: float | None = None
    speedup_ci95_high: float | None = None
    latency_s_p50_replaced: float | None = None
    latency_s_p50: float | None = None
    rounds: int | None = None
    pairs: int | None = None
    run_id: str = ""


COLUMNS = tuple(field.name for field in fields(PairRow))


def pair_rows(records: Sequence[Record[Any]]) -> list[PairRow]:
    """A row a pair, in the order of measuring; the last record of a pair counts."""
    newest = {pair_of(record).id: record for record in PAIR.among(records)}
    machine = Machine.of_run(records)
    return [pair_row(record, machine) for record in newest.values()]


def pair_row(record: Record[PairMeasurement], machine: Machine = NOT_READ) -> PairRow:
    """A record as a row, with a mark where its run's ``machine`` changed meanwhile. Only ok ones have times."""
    pair, body = pair_of(record), record.body
    about = (factorisations() | network_pairs())[pair.name]
    old, new = network_complexity(pair.old.network).macs, network_complexity(pair.new.network).macs
    row = PairRow(
        pair.name,
        about.what,
        about.source,
        about.old,
        about.new,
        pair.new.runtime.text,
        pair.new.runtime.device,
        pair.new.runtime.precision,
        pair.new.runtime.batch_size,
        pair.new.runtime.threads,
        body.outcome,
        body.reason,
        old,
        new,
        1 - new / old,
        run_id=record.run.run_id,
    )
    return _timed(replace(row, reason=machine.state(record).mark), record) if body.is_ok else row


def _timed(row: PairRow, record: Record[PairMeasurement]) -> PairRow:
    rounds, ratio = record.body.timed, speedup(record)
    saved = 1 - 1 / ratio.value
    return replace(
        row,
        time_saved=saved,
        time_saved_ci95_low=1 - 1 / ratio.low,
        time_saved_ci95_high=1 - 1 / ratio.high,
        time_saved_per_macs_saved=saved / row.macs_saved,
        speedup=ratio.value,
        speedup_ci95_low=ratio.low,
        speedup_ci95_high=ratio.high,
        latency_s_p50_replaced=median(rounds.reference_s),
        latency_s_p50=median(rounds.candidate_s),
        rounds=len(rounds),
        pairs=rounds.pairs,
    )
