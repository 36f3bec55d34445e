"""Verdicts on times: what paired rounds on several runtimes say about one claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inception_bench.claims.claim import Claim
from inception_bench.claims.outcome import Outcome, judge, not_run
from inception_bench.claims.verdict import INCONCLUSIVE, Figure
from inception_bench.measure.rounds import Rounds
from inception_bench.records.record import Record
from inception_bench.records.statistics import median, median_interval
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair


def pair_of(record: Record) -> Pair:
    """The pair that a record is of."""
    return Pair(record.body["pair"], Case.from_json(record.case), Case.from_json(record.body["partner"]))


def time_ratio(record: Record) -> Figure:
    """Time of the old side over the new one's, the median of paired ratios with its 95 % interval."""
    found = median_interval(Rounds(**record.body["rounds"]).ratios())
    return Figure(found.value, found.low, found.high)


def judge_timed(claim: Claim, records: Sequence[Record]) -> Outcome:
    """The verdict on a claim of times: it must hold, or fail, on every runtime and batch that was timed.

    A figure is the median over them; its interval reaches from the lowest to the highest of theirs, so runtimes
    that disagree span the boundary. A runtime that is not here is left out; one that failed decides nothing.
    The records are of one run, and so of one device, whose expectation holds.
    """
    found = _judge(claim, records)
    return replace(found, device=records[0].case["device"]) if records else found


def _judge(claim: Claim, records: Sequence[Record]) -> Outcome:
    ids = tuple(pair_of(record).id for record in records)
    timed = [record for record in records if record.body["outcome"] == "ok"]
    broken = [record for record in records if record.body["outcome"] not in ("ok", "unavailable")]
    if broken:
        reasons = [f"{pair_of(record).id} {record.body['outcome']}: {record.body['reason']}" for record in broken]
        return Outcome(claim, INCONCLUSIVE, note="; ".join(reasons), pairs=ids)
    figures, notes = [], []
    for name in claim.arguments["pairs"]:
        ratios = {_place(record): time_ratio(record) for record in timed if record.body["pair"] == name}
        if not ratios:
            return not_run(claim, f"no runtime here could time {name}")
        figures.append(_over(list(ratios.values())))
        notes.append(f"{name}: " + ", ".join(f"{place} {ratio.value:.2f}" for place, ratio in ratios.items()))
    found = judge(claim, figures, "; ".join(notes))
    return Outcome(claim, found.verdict, found.figures, found.note, ids)


def _over(ratios: Sequence[Figure]) -> Figure:
    middle = median([ratio.value for ratio in ratios])
    return Figure(middle, min(ratio.low for ratio in ratios), max(ratio.high for ratio in ratios))


def _place(record: Record) -> str:
    case = Case.from_json(record.case)
    return f"{case.runtime.text} b{case.runtime.batch_size}"
