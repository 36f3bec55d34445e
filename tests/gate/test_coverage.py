"""The proof of coverage: which trial comes next, its rates by hand, and real trials that go on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from inception_bench.cli import app
from inception_bench.cli.words import named
from inception_bench.errors import UsageError, told
from inception_bench.gate.coverage import coverage as coverage_module
from inception_bench.gate.coverage.coverage import CoverageOrder, run_coverage
from inception_bench.gate.coverage.rows import CoverageRow, coverage_rows, exit_code, halves
from inception_bench.gate.coverage.stratum import INJECTED, strata
from inception_bench.gate.trials import read_trials
from inception_bench.measure.measurement import Measurement
from inception_bench.records.coverage_body import CoverageBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import COVERAGE
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import Interval
from inception_bench.report.coverage import coverage_json, coverage_page
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import PROFILES
from inception_bench.spec.runtime import Runtime
from tests.records.test_speedup import equal_rounds

NETWORKS = tuple(
    Case(NetworkSpec(model, "", 32, 0.125, 10), Runtime("eager", "cpu", "fp32", 1, 1))
    for model in ("googlenet", "googlenet_naive")
)
QUICK = replace(PROFILES["quick"], rounds=36, budget_s=0.1)  # six blocks a pair, the fewest that can be estimated
RUN = Run("r1", "2026-01-01T00:00:00+00:00", "coverage", {
    "cpu": "a CPU", "usable_cores": 2, "memory_bytes": 2**33, "python": "3.11", "packages": {}, "git_revision": None,
})  # fmt: skip


def trial(stratum, ratio, truth=1.0, run=RUN):
    """A trial of three pairs of processes in which the partner took ``ratio`` times as long in every round."""
    measured = Measurement(outcome="ok", rounds=equal_rounds([ratio] * 3))
    return Record("coverage", run, NETWORKS[0], 1, 1, CoverageBody.of(stratum, truth, measured))


def order(folder, minutes=1e-9, threads=(1, 2), backends=("eager", "onnxruntime")):
    return CoverageOrder(NETWORKS, backends, threads, QUICK, folder, minutes)


def test_the_strata_of_three_runtimes():
    names = [each.name for each in strata(("eager", "onnxruntime", "openvino"), (1, 2))]
    assert len(names) == len(set(names)) == 15  # 3 x 2 x 2, and three ratios
    assert "openvino, 2 threads, loaded" in names
    known = strata(("eager", "onnxruntime", "openvino"), (1, 2))
    equal = [each for each in known if each.is_equal]
    assert sum(each.trials for each in equal) == 432  # at least 400
    assert sum(each.trials for each in equal if each.loaded) == 216  # half of them
    assert [(each.truth, each.trials) for each in known if not each.is_equal] == [(1.02, 60), (1.1, 60), (2.0, 60)]
    assert [each.busy_share for each in known if not each.is_equal] == pytest.approx([0.02, 0.1, 1.0])


def test_trials_take_turns(tmp_path):
    """The stratum with the smallest share comes next; its networks take turns, then its runtimes, then its threads."""
    asked, known = order(tmp_path), strata(("eager", "onnxruntime"), (1, 2))
    records = []
    for _ in range(len(known)):
        chosen = coverage_module._next(asked, records, "seed")
        records.append(trial(chosen.stratum.name, 1.0, chosen.stratum.truth))
    assert [record.body.stratum for record in records] == [each.name for each in known]
    slowed = [trial(each.name, 1.0) for each in known if each.is_equal for _ in range(each.trials)]
    turns = []
    for _ in range(9):
        chosen = coverage_module._next(asked, slowed, "seed")
        if chosen.stratum.truth == 1.02:
            turns.append((chosen.case.network.model, chosen.case.runtime.backend, chosen.case.runtime.threads))
        slowed.append(trial(chosen.stratum.name, 1.0, chosen.stratum.truth))
    assert turns == [
        ("googlenet", "eager", 1), ("googlenet_naive", "eager", 1), ("googlenet", "onnxruntime", 1),
    ]  # fmt: skip
    done = [trial(each.name, 1.0, each.truth) for each in known for _ in range(each.trials)]
    assert coverage_module._next(asked, done, "seed") is None


def test_rates_by_hand():
    """Ratios of 1 hold 1, ratios of 1.5 do not; those of an injected ratio are held against that."""
    records = [trial("eager, 1 thread, quiet", ratio) for ratio in (1.0, 1.0, 1.5)]
    records += [
        trial("eager, 1 thread, loaded", 1.0),
        trial("1.1 times slower", 1.1, 1.1),
        trial("2 times slower", 1, 2),
    ]
    rows = {row.name: row for row in coverage_rows(records)}
    counts = {name: (row.held, row.trials) for name, row in rows.items()}
    assert counts == {
        "a program beside itself": (3, 4), "eager, 1 thread, quiet": (2, 3), "eager, 1 thread, loaded": (1, 1),
        "1.02 times slower": (0, 0), "1.1 times slower": (1, 1), "2 times slower": (0, 1),
    }  # fmt: skip
    quiet = rows["eager, 1 thread, quiet"]
    # Wilson, 1927, of 2 in 3: (2 + z^2 / 2) / (3 + z^2) +- z sqrt(2 / 9 * 3 + z^2 / 4) / (3 + z^2), with z = 1.96.
    assert (quiet.rate.low, quiet.rate.high) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    assert (quiet.pairs, quiet.round_s) == (3, 0.02)
    # The second and the third of three of one stratum prove; of each other stratum there is only a first.
    assert halves(records) == ([records[0], *records[3:]], records[1:3])


def row(held, trials, wanted=36, *, is_pooled=False):
    rate = Interval(held / trials, 0.90, 0.97)
    return CoverageRow("name", wanted, held, trials, rate, 0.01, 3, 0.02, is_pooled)


def test_answers():
    assert row(34, 36).answer == "reached"
    assert replace(row(34, 36), rate=Interval(0.9, 0.8, 0.949)).answer == "missed"  # 95 % is outside
    assert row(20, 20).answer == row(17, 20).answer == "open"  # 3 of 20 missed happen: 7.5 % of the time
    assert row(10, 20).answer == "missed"  # that few do not
    pooled = [row(held, 400, 400, is_pooled=True).answer for held in (371, 372, 392, 393)]
    assert pooled == ["missed", "reached", "reached", "missed"]  # 93 to 98 %
    assert CoverageRow("none", 36, 0, 0).answer == "open"
    assert (exit_code([row(34, 36)]), exit_code([row(34, 36), row(10, 20)])) == (0, 1)


@pytest.mark.slow
def test_real_trials_go_on_where_they_stopped(tmp_path):
    lines = []
    first = run_coverage(order(tmp_path), lines.append)
    assert [record.body.stratum for record in first] == ["eager, 1 thread, quiet"]
    assert lines == [f"1: eager, 1 thread, quiet, {first[0].own_case.id}, 3 pairs"]
    second = run_coverage(order(tmp_path), lines.append)
    assert [record.body.stratum for record in second] == ["eager, 1 thread, quiet", "eager, 1 thread, loaded"]
    assert Journal(tmp_path / FILE).read()[0] == second
    body = second[0].body
    assert (body.outcome, body.timed.pairs, len(body.timed) >= 36) == ("ok", 3, True)
    assert len({pid for pair in body.pairs for pid in (pair.candidate_pid, pair.partner_pid)}) == 6
    page = coverage_page(second)
    assert "| eager, 1 thread, loaded | " in page
    assert "2 trials, run " in page


@pytest.mark.slow
def test_a_slowed_partner_is_slower_by_its_share(tmp_path, monkeypatch):
    """Twice the time, by the worker's own clock: the interval lies near 2, on whatever machine."""
    only = tuple(each for each in strata(("onnxruntime",), (1,)) if each.truth == 2.0)
    monkeypatch.setattr(coverage_module, "strata", lambda *_: only)
    (record,) = run_coverage(order(tmp_path, threads=(1,), backends=("onnxruntime",)), lambda line: None)
    (found,) = [each for each in coverage_rows([record]) if each.trials and each.name.startswith("2")]
    assert (record.body.truth, found.trials) == (2.0, 1)
    ratios = sorted(record.body.timed.ratios())
    assert 1.5 < ratios[len(ratios) // 2] < 2.7


def test_the_command_and_reading_it_again(tmp_path):
    folder = tmp_path / "trials"
    Journal(folder / FILE).path.parent.mkdir()
    for ratio in (1.0, 1.0):
        Journal(folder / FILE).append(trial("eager, 1 thread, quiet", ratio))
    again = CliRunner().invoke(app, ["compare", str(folder), "--json"])
    assert again.exit_code == 0
    told_rows = json.loads(again.stdout)["rows"]
    assert [(each["held"], each["trials"]) for each in told_rows if each["trials"]] == [(2, 2), (2, 2)]
    assert coverage_json(read_trials(folder, COVERAGE))["exit_code"] == 0


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(UsageError) as error:
        run_coverage(order(tmp_path, minutes=0), lambda line: None)
    assert told(error.value, named) == "--minutes 0: give a time above 0"
    Journal(tmp_path / FILE).append(trial("eager, 1 thread, quiet", 1.0))
    with pytest.raises(UsageError, match="holds trials with another cpu; give another folder with -o"):
        run_coverage(order(tmp_path), lambda line: None)
    unknown = CliRunner().invoke(app, ["coverage", "--profile", "fast", "-o", str(tmp_path / "new")])
    assert isinstance(unknown.exception, UsageError)
    assert "fast" in str(unknown.exception)


def test_injected_ratios_are_small_and_large():
    assert INJECTED == (1.02, 1.1, 2.0)
