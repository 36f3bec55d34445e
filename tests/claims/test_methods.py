"""Which method decides a claim, what each does with a run, and that a stored claim is read as it was measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.methods.arms import judge_proxy
from inception_bench.claims.methods.choice import expected_parts, judge_stored, measure_claim, method_of
from inception_bench.claims.methods.exact import EXACT
from inception_bench.claims.methods.imagenet import IMAGENET
from inception_bench.claims.methods.probe import PROBE, PROBES
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.claims.methods.proxy import PROXY
from inception_bench.claims.methods.timed import TIMED, judge_timed
from inception_bench.claims.outcome import broken, judge_exact
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.guesses import Pace
from inception_bench.measure.stages import CellStopped
from inception_bench.processes.process import CallFailed
from inception_bench.records.claim_body import Course
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import PROFILES
from inception_bench.spec.runtime import Runtime
from tests.claims.test_imagenet import V3
from tests.claims.test_timing import CLAIM, pair_record

EAGER = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 1))
BETTER, WORSE = Course("ok", {240: 0.75}, [1.0], 0.0), Course("ok", {240: 0.7}, [1.0], 0.0)


class StubBench:
    """A run in which a 3x3 takes half the time of a 5x5, treated arms end five points better, and V3 is right."""

    def __init__(self, profile="full", cases=(EAGER,), timed=True):
        self.profile, self.cases, self.timed = PROFILES[profile], cases, timed
        self.asked = []

    def time_pair(self, pair):
        self.asked.append(pair.id)
        return pair_record(2.0, pair.new.runtime.backend, name=pair.name, device=pair.new.runtime.device)

    def train(self, job, stage):
        self.asked.append(stage)
        return BETTER if stage.startswith("treated") else WORSE

    def answers(self, case):
        self.asked.append(case.id)
        return Counts("imagefolder:x", 50_000, 39_400, 47_200, 50_000, 0, 0)


def test_every_claim_has_its_method():
    """118 are arithmetic, 44 need ImageNet, four are timed, two are probes; the rest is trained."""
    methods = Counter(method_of(claim) for claim in ledger().values())
    assert methods == {EXACT: 118, IMAGENET: 44, TIMED: 4, PROBE: 2, PROXY: 22}
    assert {claim.id for claim in ledger().values() if method_of(claim) is PROXY} == set(PROXIES)
    assert {claim.id for claim in ledger().values() if method_of(claim) is PROBE} == set(PROBES)


@pytest.mark.parametrize(
    ("claim_id", "profile", "seconds"),
    [
        ("G-01", "full", 0.003),  # one calculation
        ("R-T3a-8", "full", 0.003),
        ("I-03", "quick", 0.003),  # left out
        ("S1-20", "full", 20),
        ("R-25", "full", 0.003 + 0.1 * 160 * 2 * 6),  # steps of two arms from six seeds
    ],
)
def test_a_first_guess_of_the_time(claim_id, profile, seconds):
    (guess,) = expected_parts(find_claim(claim_id), PROFILES[profile], [EAGER]).values()
    assert guess.seconds(Pace(), built=False) == pytest.approx(seconds)


def test_the_time_of_a_timed_claim_is_that_of_its_pairs():
    """Two runtimes, so two pairs, as the claim's name of a pair says; one of another claim has the same parts."""
    cases = [EAGER, replace(EAGER, runtime=replace(EAGER.runtime, backend="onnxruntime"))]
    parts = {name: expected_parts(find_claim(name), PROFILES["quick"], cases) for name in ("S1-17", "S2-11", "G-08")}
    pairs = {f"pair 3x3_for_5x5-{backend}-cpu-fp32-b1" for backend in ("eager", "onnxruntime")}
    assert {name for name in parts["S1-17"] if name.startswith("pair")} == pairs
    assert parts["S2-11"] == parts["G-08"]


def test_a_timed_claim_times_its_pairs():
    bench = StubBench("quick")
    assert measure_claim(CLAIM, bench).verdict == "reproduced"
    assert bench.asked == ["3x3_for_5x5-eager-cpu-fp32-b1"]
    switched_off = measure_claim(CLAIM, StubBench("quick", timed=False))
    assert (switched_off.verdict, switched_off.note) == ("not run", "timing is switched off")


def test_a_proxy_trains_both_arms_of_every_seed():
    bench = StubBench()
    outcome = measure_claim(find_claim("G-06"), bench)
    assert outcome.figures[0].value == pytest.approx(0.05)
    assert bench.asked == [f"{side}-{seed}" for seed in range(10, 16) for side in ("treated", "reference")]


def test_an_arm_that_failed_costs_its_claim(monkeypatch):
    def fail(self, job, stage):
        raise CallFailed("timeout", "took too long")

    monkeypatch.setattr(StubBench, "train", fail)
    outcome = measure_claim(find_claim("G-06"), StubBench())
    assert (outcome.is_broken, outcome.note) == (True, "proxy, an arm timeout: took too long")


def test_imagenet_is_asked_where_it_is_given(monkeypatch):
    claim = find_claim("R-T3a-8")
    bench = StubBench("smoke", [V3])
    assert measure_claim(claim, bench).verdict == "reproduced"
    assert bench.asked == [V3.with_runtime(backend="eager").id]
    without = measure_claim(claim, StubBench("smoke"))
    assert (without.verdict, without.note) == ("not testable here", claim.reason)

    def stop(self, case):
        raise CellStopped("failed", "load", "no such file")

    monkeypatch.setattr(StubBench, "answers", stop)
    assert measure_claim(claim, StubBench("smoke", [V3])).note == "failed in stage 'load': no such file"


def test_what_a_profile_leaves_out_asks_nothing_of_the_run():
    bench = StubBench("smoke", [EAGER.with_runtime(device="cuda")])
    outcomes = [measure_claim(find_claim(claim_id), bench) for claim_id in ("S1-17", "S1-20", "G-06")]
    assert [(outcome.verdict, outcome.device) for outcome in outcomes] == [("not run", "cuda")] * 3
    assert bench.asked == []


def test_a_stored_claim_is_read_as_it_was_measured():
    """Also where the ledger has another method for it since: by what the record holds."""
    record = pair_record(2.0)
    timed = judge_timed(CLAIM, [record])
    moved = replace(CLAIM, expected="not testable here", reason="needs two machines")
    assert (method_of(CLAIM), method_of(moved)) == (TIMED, IMAGENET)
    for claim in (CLAIM, moved):
        assert judge_stored(claim, timed.body, {timed.pairs[0]: record}).figures == timed.figures

    proxy = find_claim("G-06")
    courses = [(Course("ok", {240: 0.75}, [1.0]), Course("ok", {240: 0.7}, [1.0]))] * 3
    trained = judge_proxy(proxy, PROXIES["G-06"], courses)
    assert judge_stored(proxy, trained.body, {}).figures == trained.figures
    # A figure of a claim that has become a training proxy.
    assert judge_stored(proxy, judge_exact(proxy, [0.05]).body, {}).figures[0].value == 0.05


@pytest.mark.parametrize("claim_id", ["G-01", "R-T3a-8", "S1-17", "S1-20", "G-06"])
def test_each_method_reads_a_measuring_that_failed(claim_id):
    outcome = judge_stored(find_claim(claim_id), broken(find_claim(claim_id), "it broke").body, {})
    assert (outcome.is_broken, outcome.note) == (True, "it broke")
