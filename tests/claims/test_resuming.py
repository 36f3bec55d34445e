"""A run that goes on after a kill takes over pairs and training proxies, as it does cells."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from inception_bench.claims.ledger import find_claim
from inception_bench.claims.methods.arms import judge_proxy
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.measure.measurement import Measurement, PairMeasurement
from inception_bench.measure.pairing import make_pair
from inception_bench.measure.rounds import Rounds
from inception_bench.models.tables.factorisations import factorisations
from inception_bench.records.claim_body import ClaimBody, Course
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.resume import Earlier
from inception_bench.spec.runtime import Runtime
from tests.conftest import ROOT

HERE = {"cpu": "one"}
RUN = Run("r1", "", "full", HERE)
PAIR = make_pair(factorisations()["3x3_for_5x5"], Runtime("eager", "cpu", "fp32", 1, 1))
ROUNDS = Rounds([1.0] * 8, [1.0] * 8, [True] * 8, [0] * 8, [0] * 8, process_pair=[0, 0, 0, 0, 1, 1, 2, 2])


def pair(**changed) -> Record[PairMeasurement]:
    measured = Measurement(outcome="ok", rounds=ROUNDS)
    return Record("pair", RUN, PAIR.new, 1, 1, PairMeasurement.of(PAIR, replace(measured, **changed)))


def holding(record: Record[Any], environment: dict[str, str], rounds: int) -> Earlier:
    return Earlier.among([record], environment, lambda record: rounds)


def test_pairs_hold_with_rounds_enough_over_enough_pairs_of_processes():
    assert holding(pair(), HERE, 2 * 4).pair(PAIR) == pair()
    assert holding(pair(), HERE, 9) == Earlier()
    two_pairs = replace(ROUNDS, process_pair=[0, 0, 0, 0, 1, 1, 1, 1])
    assert holding(pair(rounds=two_pairs), HERE, 8) == holding(pair(rounds=replace(ROUNDS, process_pair=None)), HERE, 8)
    assert holding(pair(rounds=two_pairs), HERE, 8) == Earlier()
    assert holding(pair(outcome="failed"), HERE, 2) == Earlier()
    assert holding(pair(), {"cpu": "another"}, 2) == Earlier()
    assert holding(replace(pair(), kind="cell"), HERE, 2).pairs == {}


def test_proxies_hold_where_they_were_trained():
    course = Course("ok", {240: 0.75}, [1.0])
    trained = Record("claim", RUN, None, None, None, ClaimBody("G-06", "measured", courses=((course, course),)))
    exact = Record("claim", RUN, None, None, None, ClaimBody("G-01", "measured"))
    assert holding(trained, HERE, 64).claim("G-06") == trained
    assert holding(exact, HERE, 64) == holding(trained, {"cpu": "another"}, 64) == Earlier()


@pytest.fixture(scope="module")
def timed(launcher, tmp_path_factory):
    options = ("--inception-backends=onnxruntime", "--inception-threads=1", "-k", "two_3x3_for_5x5")
    folder = tmp_path_factory.mktemp("timed")
    return [
        launcher.run(folder, *options, *more, suite="suites/test_modules.py") for more in ((), ("--inception-resume",))
    ]


def test_a_pair_is_timed_once(timed):
    first, second = timed
    assert first.code == second.code == 0, first.output + second.output
    one, other = (record for record in second.records() if record["kind"] == "pair")
    assert other["body"] == one["body"]
    assert other["resumed_from"] == one["run"]["run_id"] != other["run"]["run_id"]


def test_a_proxy_is_trained_once(launcher, tmp_path):
    """Five points more in every seed, by courses that an earlier run in this environment has left."""
    program = "import json; from inception_bench.machine.environment import read_environment as read\n"
    words = [sys.executable, "-c", program + "print(json.dumps(read().to_json()))"]
    done = subprocess.run(words, cwd=ROOT, env=launcher.environment(), capture_output=True, text=True, check=True)
    run = Run("earlier", "2026-01-01T00:00:00+00:00", "full", json.loads(done.stdout))
    courses = [(Course("ok", {240: 0.75}, [1.0], 0.0), Course("ok", {240: 0.7}, [1.0], 0.0))] * 3
    outcome = judge_proxy(find_claim("G-06"), PROXIES["G-06"], courses)
    Journal(tmp_path / "records.jsonl").append(Record("claim", run, None, None, None, outcome.body))
    options = ("--inception-profile=full", "--inception-models=googlenet", "--inception-resume", "-k", "G-06")
    again = launcher.run(tmp_path, *options, suite="suites/test_claims.py")
    assert "G-06: reproduced, expected contradicted" in again.output  # made-up courses are news
    with (tmp_path / "claims.csv").open(newline="", encoding="utf-8") as stream:
        row = next(row for row in csv.DictReader(stream) if row["id"] == "G-06")
    assert (row["verdict"], float(row["figure_measured"])) == ("reproduced", pytest.approx(0.05))
    assert again.records()[1]["resumed_from"] == "earlier"
