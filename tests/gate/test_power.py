"""The proof of power: its rates against known figures, what is tried next, and a real trial that goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice

import psutil
import pytest
from typer.testing import CliRunner

from inception_bench.cli import app
from inception_bench.cli.words import named
from inception_bench.errors import UsageError, told
from inception_bench.gate.power import power as power_module
from inception_bench.gate.power.neighbour import neighbour
from inception_bench.gate.power.power import PowerOrder, PowerRow, Rate, exit_code, power_rows, rival_alarms, run_power
from inception_bench.gate.power.scenario import SCENARIOS
from inception_bench.records.duet_body import DuetPlan, PowerBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.process_pair import Block, ProcessPair
from inception_bench.records.record import Record, Run
from inception_bench.report.power import power_json, power_notes, power_page
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

CASE = Case(NetworkSpec("googlenet", "", 32, 0.125, 1000), Runtime("onnxruntime", "cpu", "fp32", 1, 1))
NONE = Rate.of(0, 0)


def test_rates_have_exact_intervals():
    # No hit in n: the upper end is 1 - (0.05 / 2) ** (1 / n); all of n: the lower end is (0.05 / 2) ** (1 / n).
    assert Rate.of(0, 200).high == pytest.approx(1 - 0.025 ** (1 / 200))
    assert Rate.of(100, 100).low == pytest.approx(0.025 ** (1 / 100))
    assert (NONE.low, NONE.high) == (0.0, 1.0)


def test_rival_is_the_rule_of_pytest_benchmark():
    assert not rival_alarms([1.0, 1.0, 9.0], [1.05, 1.05, 0.1])  # medians 1 and 1.05: 5 % is not over 5 %
    assert rival_alarms([1.0, 1.0, 9.0], [1.06, 1.06, 0.1])


def test_runs_one_after_the_other_are_the_halves_of_a_trial():
    blocks = tuple(Block("ABBA", (a, a), (a + 1, a + 1)) for a in (1.0, 2.0, 3.0, 4.0))
    assert power_module._apart([ProcessPair(1.0, blocks[:3], {}, {}), ProcessPair(1.0, blocks[3:], {}, {})]) == (
        [1.0, 1.0, 2.0, 2.0],
        [4.0, 4.0, 5.0, 5.0],
    )


def row(scenario, hits, trials):
    return PowerRow(scenario, "", Rate.of(hits, trials), 0, NONE, NONE, None, None)


def test_answers():
    quiet, one_percent = SCENARIOS[0], SCENARIOS[2]
    assert row(quiet, 1, 200).answer == "reached"
    assert row(quiet, 2, 200).answer == "missed"  # 1 % is seen, at most 0.5 % is asked
    assert row(quiet, 0, 10).answer == "open"
    assert row(one_percent, 90, 100).answer == "reached"
    # At a rate of 90 % none of 2 has a probability of 0.01, none of 4 one of 0.0001.
    assert row(one_percent, 0, 2).answer == "open"
    assert row(one_percent, 0, 4).answer == "missed"
    # At a rate of 0.5 % one of 1 has 0.005; two of 5 have about 10 * 0.005 ** 2 = 0.00025.
    assert row(quiet, 1, 1).answer == "open"
    assert row(quiet, 2, 5).answer == "missed"
    assert exit_code([row(quiet, 1, 200)]) == 0
    rows = [row(quiet, 1, 200), row(one_percent, 0, 5)]
    assert exit_code(rows) == 1
    (note,) = power_notes(rows)
    assert (note.level, note.title) == ("error", "1 % busy wait, quiet")
    assert note.text == "found: 0 of 5, asked: at least 90%"


def test_the_scenario_that_lags_is_next_and_cells_take_turns(tmp_path):
    cases = (CASE.with_runtime(threads=2), CASE.with_runtime(backend="eager", threads=2))
    left = power_module._left(PowerOrder(cases, tmp_path), [])
    first = list(islice(left, 8))
    # All begin at nothing, in the order of the table; then those with most trials to do lag most.
    assert [scenario.name for scenario, _ in first[:6]] == [scenario.name for scenario in SCENARIOS]
    assert [scenario.name for scenario, _ in first[6:]] == ["A/A, quiet", "A/A, loaded"]
    assert [case.runtime.backend for _, case in (first[0], first[6])] == ["onnxruntime", "eager"]


def test_one_thread_is_not_tried_where_there_is_one_core(tmp_path, monkeypatch):
    monkeypatch.setattr(power_module, "usable_cores", lambda: 1)
    names = [scenario.name for scenario, _ in power_module._left(PowerOrder((CASE,), tmp_path), [])]
    assert len(names) == sum(scenario.trials for scenario in SCENARIOS if not scenario.one_thread)


@pytest.mark.slow
def test_a_trial_is_stored_and_the_next_call_goes_on(tmp_path, cache_root, monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE", str(cache_root))
    order = PowerOrder((CASE,), tmp_path, minutes=1e-4, budget_s=2.0)
    assert len(run_power(order, lambda line: None)) == 1
    records = run_power(order, lambda line: None)
    assert [record.body.scenario for record in records] == ["A/A, quiet", "A/A, loaded"]
    stored, complaints = Journal(tmp_path / FILE).read()
    assert complaints == []
    rows = power_rows(stored)
    assert rows == power_rows(records)
    assert [found.gate.trials for found in rows] == [1, 1, 0, 0, 0, 0]
    page = power_page(rows, records)
    assert "| A/A, loaded | all | false alarms: at most 0.5% |" in page
    # Each call is a run of its own: the page names both.
    assert f"; 2 trials in 0.0 h, run {stored[0].run.run_id}, {stored[1].run.run_id}." in page
    assert json.loads(json.dumps(power_json(rows)))["rows"][0]["answer"] == "open"


@pytest.mark.slow
def test_compare_judges_trials_again_from_their_rounds(tmp_path, cache_root, monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE", str(cache_root))
    (record,) = run_power(PowerOrder((CASE,), tmp_path, minutes=1e-4, budget_s=2.0), lambda line: None)
    line = "| A/A, quiet | all | false alarms: at most 0.5% | {} of 1 |".format
    # What this machine's moment gave is not known beforehand, only that the page and the rows agree.
    assert line(power_rows([record])[0].gate.hits) in compared(tmp_path)
    pairs = record.body.pairs * 2  # an alarm takes two looks
    for factor, alarms in ((1, 0), (2, 1)):  # with b's rounds made twice as long, the equal programs are an alarm
        slower = tuple(replace(pair, blocks=tuple(made_longer(each, factor) for each in pair.blocks)) for pair in pairs)
        (tmp_path / FILE).unlink()
        Journal(tmp_path / FILE).append(replace(record, body=replace(record.body, pairs=slower)))
        assert line(alarms) in compared(tmp_path)


def made_longer(block, factor):
    """A block whose second side takes ``factor`` times as long as its first."""
    return replace(block, b_s=tuple(factor * seconds for seconds in block.a_s))


def compared(folder):
    done = CliRunner().invoke(app, ["compare", str(folder)])
    assert done.exit_code == 0, done.output
    return done.output


def test_trials_of_other_sources_are_not_mixed(tmp_path):
    run = Run("r", "2026-01-01T00:00:00+00:00", "gate-power", {"source_hash": "other"})
    settings = DuetPlan(1.0, 0.01, 0.0, 0.0, "seed")
    body = PowerBody("failed", "build", "no", "a", {}, settings, 0.0, None, (), scenario="A/A, quiet")
    Journal(tmp_path / FILE).append(Record("power", run, CASE, 1, 1, body))
    with pytest.raises(UsageError, match="holds trials with another cpu; give another folder with -o"):
        run_power(PowerOrder((CASE,), tmp_path), lambda line: None)
    with pytest.raises(UsageError) as refused:
        run_power(PowerOrder((CASE,), tmp_path, minutes=0), lambda line: None)
    assert told(refused.value, named) == "--minutes 0 --budget 60: give times above 0"


def test_the_neighbour_lives_as_long_as_what_it_disturbs():
    with neighbour("1") as pid:
        assert psutil.Process(pid).is_running()
    assert not psutil.pid_exists(pid)
