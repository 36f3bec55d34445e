"""Verdicts on times, from raw rounds made up so that their ratios are known; and a real pair, timed."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import t

from inception_bench import create_model
from inception_bench.backends.base import Setup
from inception_bench.backends.eager import BACKEND
from inception_bench.claims.ledger import find_claim
from inception_bench.claims.methods.timed import judge_timed
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.pairing import make_pair
from inception_bench.measure.rounds import Rounds
from inception_bench.models.tables.factorisations import factorisations
from inception_bench.models.weights.stored import save_network
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.speedup import speedup, spread_on
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
    numbers = [at // 22 for at in range(66)]
    rounds = Rounds(
        [0.001] * 66, [0.001 * ratio] * 66, [True, False] * 33, [0] * 66, [0] * 66, process_pair=numbers
    )  # fmt: skip
    measured = Measurement(outcome=outcome, reason="" if outcome == "ok" else "it broke", rounds=rounds)
    return Record("pair", RUN, pair.new, 1, 1, PairMeasurement.of(pair, measured))


def half_of_equal_rounds(round_s=0.001):
    """Half the width of the log interval of three pairs of processes whose rounds are all equal on the quicker side.

    There is no error within a pair, and no scatter: what is expected of processes is left, once over the root of three
    pairs, and drawn from its prior alone.
    """
    spread = spread_on(Runtime("eager", "cpu", "fp32", 1, 1))
    freedom = spread.prior_pairs + 3 - 1
    error = spread.of(round_s) * math.sqrt(spread.prior_pairs / freedom / 3)
    return float(t.ppf(0.975, freedom)) * error


def test_a_ratio_is_old_over_new():
    assert speedup(pair_record(2.5)).value == pytest.approx(2.5)


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
    ends = [
        ratio * math.exp(sign * half_of_equal_rounds(0.001 * min(ratio, 1.0))) for ratio in ratios for sign in (-1, 1)
    ]
    assert (figure.low, figure.high) == pytest.approx((min(ends), max(ends)))
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
    claim = Record("claim", RUN, None, None, None, judge_timed(CLAIM, records).body)
    assert claim.body.figures == ()
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
    assert (row.latency_s_p50, row.latency_s_p50_replaced, row.rounds) == (0.001, 0.002, 66)


def test_the_page_says_where_it_pays():
    page = pairs_page([pair_row(pair_record(2.0)), pair_row(pair_record(1, "openvino", outcome="failed"))], RUN)
    assert "`module.3x3@28x28x64` for `module.5x5@28x28x64`: saves 64% of the MACs." in page
    half = math.exp(half_of_equal_rounds())
    assert f"| eager | 1 | 2 ms | 1 ms | 2.00 ({2 / half:.2f}-{2 * half:.2f}) | 50% | 0.78 |" in page
    assert "speed-up (95 %)" in page
    assert "* openvino batch 1: **failed**: it broke" in page


@pytest.fixture(scope="module")
def real_run(launcher, tmp_path_factory):
    """Two 3x3 for a 5x5 on ONNX Runtime, first by the suite, then by a claim that needs another pair."""
    folder = tmp_path_factory.mktemp("modules")
    options = ("--inception-backends=onnxruntime", "--inception-threads=1", "-k", "two_3x3_for_5x5 or S1-17")
    return launcher.run(folder, *options, suite="suites")


def test_a_real_pair_is_timed_and_judged(real_run):
    assert "two_3x3_for_5x5-onnxruntime-cpu-fp32-b1" in real_run.output
    with (real_run.folder / "modules.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["pair"], row["outcome"]) for row in rows] == [("3x3_for_5x5", "ok"), ("two_3x3_for_5x5", "ok")]
    records = [record for record in Journal(real_run.folder / "records.jsonl").read()[0] if record.kind == "pair"]
    bodies = {record.body.pair: record.body for record in records}
    for row in rows:
        rounds = bodies[row["pair"]].timed
        assert (int(row["rounds"]), int(row["pairs"])) == (len(rounds), rounds.pairs)
        assert len(rounds) >= 64
        assert rounds.pairs >= 3
    for body in bodies.values():  # each side against float64 of its own network
        assert body.parity.error < body.parity.limit
        assert body.partner_parity.error < body.partner_parity.limit
        assert body.parity.error != body.partner_parity.error


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
