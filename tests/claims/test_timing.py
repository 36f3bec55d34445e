"""Verdicts on times, from raw rounds made up so that their ratios are known; and a real pair, timed."""

import csv
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from inception_bench import create_model
from inception_bench.backends.base import Setup
from inception_bench.backends.eager import BACKEND
from inception_bench.claims.ledger import find_claim
from inception_bench.claims.methods.timed import judge_timed
from inception_bench.claims.timing import time_ratio
from inception_bench.measure.answers import Round
from inception_bench.measure.pairing import make_pair
from inception_bench.measure.rounds import Rounds, Taken
from inception_bench.models.tables.factorisations import factorisations
from inception_bench.models.weights.stored import save_network
from inception_bench.plugin.items.factorisations import until_narrow
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import median_interval
from inception_bench.report.claims import outcomes_of
from inception_bench.report.pairs import COLUMNS, pair_row
from inception_bench.report.pairs_page import pairs_page
from inception_bench.spec.runtime import Runtime

RUN = Run("r1", "2016-01-01T00:00:00+00:00", "quick", {
    "cpu": "a CPU", "usable_cores": 2, "memory_bytes": 2**33, "python": "3.11", "packages": {}, "git_revision": None,
})  # fmt: skip
CLAIM = find_claim("S1-17")


def pair_record(ratio, backend="eager", batch=1, outcome="ok", name="3x3_for_5x5", device="cpu"):
    """A pair whose replaced side took ``ratio`` times as long in every round."""
    pair = make_pair(factorisations()[name], Runtime(backend, device, "fp32", batch, 1))
    rounds = {
        "candidate_s": [0.001] * 64, "reference_s": [0.001 * ratio] * 64, "reference_first": [True] * 64,
        "candidate_preempted": [0] * 64, "reference_preempted": [0] * 64,
    }  # fmt: skip
    body = {"outcome": outcome, "reason": "" if outcome == "ok" else "it broke", "rounds": rounds}
    return Record("pair", RUN, pair.new.to_json(), 1, 1, {**body, "pair": pair.name, "partner": pair.old.to_json()})


def test_a_ratio_is_old_over_new():
    assert time_ratio(pair_record(2.5)).value == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.5, 2.5], "reproduced"),
        ([0.5, 0.9], "contradicted"),
        ([0.9, 2.5], "inconclusive"),  # the runtimes disagree
        ([1.02, 2.5], "inconclusive"),  # one is within the noise floor of 3 %
    ],
)
def test_a_claim_holds_where_it_holds_on_every_runtime(ratios, verdict):
    records = [pair_record(ratio, backend) for ratio, backend in zip(ratios, ("eager", "onnxruntime"), strict=True)]
    outcome = judge_timed(CLAIM, records)
    assert outcome.verdict == verdict
    (figure,) = outcome.figures
    assert (figure.low, figure.high) == pytest.approx((min(ratios), max(ratios)))
    assert outcome.note == f"3x3_for_5x5: eager b1 {ratios[0]:.2f}, onnxruntime b1 {ratios[1]:.2f}"


def test_a_runtime_that_is_not_here_is_left_out_and_a_broken_one_decides_nothing():
    good, absent = pair_record(2.5), pair_record(1, "openvino", outcome="unavailable")
    assert judge_timed(CLAIM, [good, absent]).verdict == "reproduced"
    broken = judge_timed(CLAIM, [good, pair_record(1, "onnxruntime", outcome="mismatch")])
    assert broken.verdict == "inconclusive"
    assert "3x3_for_5x5-onnxruntime-cpu-fp32-b1 mismatch: it broke" in broken.note
    assert judge_timed(CLAIM, [absent]).verdict == "not run"


def test_a_stored_verdict_is_made_again_from_raw_rounds():
    records = [pair_record(2.5)]
    claim = Record("claim", RUN, {}, None, None, judge_timed(CLAIM, records).to_json())
    assert claim.body["figures"] == []
    read = {outcome.claim.id: outcome for outcome in outcomes_of([*records, claim])}
    assert read["S1-17"].verdict == "reproduced"
    slower = [replace(records[0], body=pair_record(0.5).body)]
    assert {o.claim.id: o for o in outcomes_of([*slower, claim])}["S1-17"].verdict == "contradicted"


def test_time_saved_over_macs_saved():
    """A 3x3 for a 5x5 in half the time: 50 % of the time for 64 % of the MACs (and the linear layer's few)."""
    row = pair_row(pair_record(2.0))
    old, new = 28 * 28 * 64 * 64 * 25 + 640, 28 * 28 * 64 * 64 * 9 + 640
    assert (row.macs_replaced, row.macs) == (old, new)
    assert row.time_saved == pytest.approx(0.5)
    assert row.time_saved_per_macs_saved == pytest.approx(0.5 / (1 - new / old))
    assert (row.latency_s_p50, row.latency_s_p50_replaced, row.rounds) == (0.001, 0.002, 64)


def test_the_page_says_where_it_pays():
    page = pairs_page([pair_row(pair_record(2.0)), pair_row(pair_record(1, "openvino", outcome="failed"))], RUN)
    assert "`module.3x3@28x28x64` for `module.5x5@28x28x64`: saves 64% of the MACs." in page
    assert "| eager | 1 | 2 ms | 1 ms | 2.00 (2.00-2.00) | 50% | 0.78 |" in page
    assert "* openvino batch 1: **failed**: it broke" in page


@pytest.fixture(scope="module")
def real_run(launcher, tmp_path_factory):
    """Two 3x3 for a 5x5 on ONNX Runtime, first by the suite, then by a claim that needs another pair."""
    folder = tmp_path_factory.mktemp("modules")
    options = ("--inception-backends=onnxruntime", "--inception-threads=1", "-k", "two_3x3_for_5x5 or S1-17")
    return launcher.run(folder, *options, suite="suites")


def width(ratios):
    """Of the median's interval, as a share of the median."""
    found = median_interval(ratios)
    return (found.high - found.low) / found.value


def test_a_real_pair_is_timed_and_judged(real_run):
    assert "two_3x3_for_5x5-onnxruntime-cpu-fp32-b1" in real_run.output
    with (real_run.folder / "modules.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["pair"], row["outcome"]) for row in rows] == [("3x3_for_5x5", "ok"), ("two_3x3_for_5x5", "ok")]
    records = [record for record in Journal(real_run.folder / "records.jsonl").read()[0] if record.kind == "pair"]
    bodies = {record.body["pair"]: record.body for record in records}
    ratios = {name: Rounds(**body["rounds"]).ratios() for name, body in bodies.items()}
    assert [int(row["rounds"]) for row in rows] == [len(ratios[row["pair"]]) for row in rows]
    assert len(ratios["two_3x3_for_5x5"]) == 256
    # A claim's pair: a busy machine makes its interval wide, and then it has as many again.
    narrow = [count for count in (256, 512, 768) if width(ratios["3x3_for_5x5"][:count]) <= 0.03]
    assert len(ratios["3x3_for_5x5"]) == min([*narrow, 1024])
    for body in bodies.values():  # each side against float64 of its own network
        assert body["parity"]["error"] < body["parity"]["limit"]
        assert body["partner_parity"]["error"] < body["partner_parity"]["limit"]
        assert body["parity"]["error"] != body["partner_parity"]["error"]


def test_a_training_pass_answers_as_inference_and_leaves_gradients(tmp_path):
    """The logits that parity looks at are the same; every filter has a gradient afterwards."""
    torch.manual_seed(0)
    address = "module.3x3@28x28x64"
    model = create_model(address, num_classes=10).eval()
    save_network(model, address, 1.0, 10, tmp_path)
    batch = np.random.default_rng(0).normal(size=(2, 64, 28, 28)).astype(np.float32)
    setups = [Setup("cpu", "fp32", 1, 2, 28, options) for options in ({}, {"pass": "training"})]
    plain, training = (BACKEND.load(tmp_path, setup) for setup in setups)
    answers = [session.fetch(session.run(session.put(batch))) for session in (plain, training)]
    np.testing.assert_array_equal(*answers)
    weights = [dict(session._module.named_parameters()) for session in (plain, training)]
    assert all(weight.grad is None for weight in weights[0].values())
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights[1].values())


def test_a_timed_claim_has_an_interval(real_run):
    with (real_run.folder / "claims.csv").open(newline="", encoding="utf-8") as stream:
        row = next(row for row in csv.DictReader(stream) if row["id"] == "S1-17")
    assert row["verdict"] in ("reproduced", "contradicted", "inconclusive")
    assert float(row["ci95_low"]) <= float(row["figure_measured"]) <= float(row["ci95_high"])


class GivenCell:
    """Stands for two workers that take the given seconds for each round, in turn."""

    def __init__(self, reference_s):
        self.taken, self._reference_s = Taken(), itertools.cycle(reference_s)

    def before(self):
        self.taken.reference_first.append(False)

    def round(self):
        self.taken.candidate.append(Round(seconds=1.0, preempted=0))

    def after(self):
        self.taken.reference.append(Round(seconds=next(self._reference_s), preempted=0))

    def ratios(self):
        return self.taken.rounds().ratios()


@pytest.mark.parametrize(
    ("reference_s", "rounds"),
    [
        ([1.0], 32),  # no noise
        ([1.0, 1.01], 32),  # an interval of at most 1 %
        ([1.0, 1.5], 128),  # half and half: the median's interval is all of it, however many rounds
    ],
)
def test_a_claims_pair_takes_more_rounds_where_its_interval_is_wide(reference_s, rounds):
    cell = GivenCell(reference_s)
    until_narrow(cell, 32)
    assert len(cell.taken.candidate) == rounds
