"""Which records keep how long their item took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inception_bench.machine.environment import Activity
from inception_bench.measure.measurement import Measurement
from inception_bench.plugin.run import BenchRun
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.record import Run
from inception_bench.records.resume import Earlier
from inception_bench.spec.pair import Pair
from tests.records.made import CASE

FAILED = Measurement(outcome="failed", reason="a reason")


@pytest.fixture
def run(tmp_path: Path) -> BenchRun:
    """A run that only keeps records, in an item that is at its thirteenth second."""
    nothing: Any = None
    run = BenchRun(
        tmp_path, nothing, nothing, nothing, Run.begin("quick"), Journal(tmp_path / FILE), Activity.now(), Earlier(),
        nothing,
    )  # fmt: skip
    run.item_s = lambda: 12.50049
    return run


def test_an_items_own_record_has_its_seconds(run: BenchRun):
    pair = Pair("a-pair", CASE, CASE)
    took = [
        run.keep_cell(CASE, FAILED).took_s,
        run.keep_pair(pair, FAILED, is_item=True).took_s,
    ]
    assert took == [12.5, 12.5]
    assert [record.took_s for record in run.journal.read()[0]] == took


def test_a_pair_that_a_claim_needs_has_none(run: BenchRun):
    """The claim's record has the time of all its pairs."""
    assert run.keep_pair(Pair("a-pair", CASE, CASE), FAILED).took_s is None


def test_no_item_no_seconds(run: BenchRun):
    run.item_s = lambda: None
    assert run.keep_cell(CASE, FAILED).took_s is None


def test_what_is_taken_over_keeps_what_it_took_then(run: BenchRun):
    record = run.keep_cell(CASE, FAILED)
    run.item_s = lambda: 0.001
    assert run.take_over(record).took_s == 12.5
