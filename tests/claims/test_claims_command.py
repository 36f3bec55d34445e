"""``inception-bench claims``, ``claims.csv`` and ``claims.md``, and a real run of the suite."""

import csv
import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.outcome import judge_exact, not_testable, read_outcome
from inception_bench.cli import app
from inception_bench.errors import UsageError
from inception_bench.models.counted import Counted
from inception_bench.records.journal import Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import Interval
from inception_bench.report.claims import COLUMNS, counts, outcomes_of
from inception_bench.report.claims_page import claims_page
from inception_bench.report.files import write_results
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

CASE = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 2))
RUN = Run("r1", "2016-01-01T00:00:00+00:00", "quick", {
    "cpu": "a CPU", "usable_cores": 2, "memory_bytes": 2**33, "python": "3.11", "packages": {}, "git_revision": None,
})  # fmt: skip


def record(outcome):
    return Record("claim", RUN, None, None, None, outcome.body)


def run(*words):
    return CliRunner().invoke(app, ["claims", *map(str, words)])


@pytest.fixture
def folder(tmp_path):
    """A run of two claims: GoogLeNet's 22 layers as they are, and S4-02 as a wrong package would measure it."""
    outcomes = [
        judge_exact(find_claim("S2-06"), [22]),
        judge_exact(find_claim("S4-02"), [1]),
        not_testable(find_claim("G-16"), find_claim("G-16").reason),
    ]
    for outcome in outcomes:
        Journal(tmp_path / "records.jsonl").append(record(outcome))
    return tmp_path


def test_the_ledger_without_a_run():
    shown = run()
    assert shown.exit_code == 0
    assert all(claim_id in shown.output for claim_id in ledger())
    rows = json.loads(run("--json").output)
    assert len(rows) == 190
    assert {row["verdict"] for row in rows} == {None}
    assert rows[4]["by_hand"] == "1 - (9 + 9) / 25"


def test_one_claim_explained():
    shown = run("--why", "G-01")
    assert shown.exit_code == 0
    for line in (
        "arXiv:1409.4842 sec 1 (params)",
        "by hand: 60965224 / 6998552",
        "tolerance: ±1.2",
        'pytest suites/test_claims.py --benchmark-only -k "G-01"',
    ):
        assert line in shown.output
    assert "--inception-profile=full" in run("--why", "B-05").output


def test_a_run_with_news_exits_with_1(folder):
    shown = run(folder)
    assert shown.exit_code == 1
    assert "otherwise than expected: S4-02" in shown.output
    assert run(folder, "--why", "S2-06").exit_code == 0
    assert "verdict: reproduced" in run(folder, "--why", "S2-06").output


def test_wrong_usage(tmp_path):
    failed = run("--why", "G-99")
    assert isinstance(failed.exception, UsageError)
    Journal(tmp_path / "records.jsonl").append(Record("complexity", RUN, CASE, 1, 1, Counted(1, 1, 1, {})))
    with pytest.raises(UsageError, match=r"holds no claims of its newest run; run pytest suites/test_claims.py"):
        CliRunner().invoke(app, ["claims", str(tmp_path)], catch_exceptions=False)


def test_files_of_a_run(folder):
    write_results(folder, Journal(folder / "records.jsonl").read()[0])
    with (folder / "claims.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    assert tuple(next(iter(rows.values()))) == COLUMNS
    assert len(rows) == 190
    layers = rows["S2-06"]
    assert (layers["figure_claimed"], layers["figure_measured"], layers["tolerance"]) == ("22", "22", "exact")
    assert (layers["verdict"], layers["ci95_low"], layers["run_id"]) == ("reproduced", "", "r1")
    assert rows["S4-02"]["verdict"] == "inconclusive"
    assert rows["G-16"]["verdict"] == "not testable here"
    assert (rows["G-01"]["verdict"], rows["G-01"]["reason"]) == ("not run", "not selected in this run")


def test_the_page_begins_with_counts_and_marks_news(folder):
    outcomes = outcomes_of(Journal(folder / "records.jsonl").read()[0])
    assert counts(outcomes) == {
        "reproduced": 1, "contradicted": 0, "inconclusive": 1, "not testable here": 1, "not run": 187,
    }  # fmt: skip
    page = claims_page(outcomes, RUN)
    assert page.index("| reproduced | 1 |") < page.index("## Otherwise than expected") < page.index("| S1-01")
    assert "* S4-02: inconclusive, expected reproduced" in page
    assert page.count("\n## ") == 8  # the news, three tutorials, four papers


def test_a_record_is_judged_again_when_it_is_read():
    stored = judge_exact(find_claim("S2-06"), [22]).body
    assert "verdict" not in stored.to_json()
    other = replace(stored, figures=(Interval.exact(23),))
    assert read_outcome(find_claim("S2-06"), other).verdict == "inconclusive"


def test_where_imagenet_is_given_a_claim_should_hold():
    """The paper's 10.07 % top-5 error, within a point."""
    claim = find_claim("G-T3-1")
    assert judge_exact(claim, [0.105]).as_expected
    assert judge_exact(claim, [0.13]).verdict == "contradicted"
    assert not judge_exact(claim, [0.13]).as_expected


@pytest.fixture(scope="module")
def suite_run(launcher, tmp_path_factory):
    """The whole suite in the shortest profile: what is exact is decided in every one."""
    folder = tmp_path_factory.mktemp("claims")
    return launcher.run(folder, "--inception-profile=smoke", suite="suites/test_claims.py")


def test_the_suite_decides_every_exact_claim(suite_run):
    assert suite_run.code == 0, suite_run.output
    assert "162 passed, 28 skipped" in suite_run.output
    with (suite_run.folder / "claims.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 190
    for row in rows:
        if ledger()[row["id"]].is_exact:
            assert row["verdict"] in ("reproduced", "contradicted")
            assert row["verdict"] == row["expected"]


def test_one_claim_by_its_id(launcher, tmp_path):
    done = launcher.run(tmp_path, "-k", "S4-02", suite="suites/test_claims.py")
    assert done.code == 0, done.output
    assert "1 passed, 189 deselected" in done.output
