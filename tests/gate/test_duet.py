"""Duets of real processes: GoogLeNet narrow and small, one thread, this interpreter on both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from inception_bench.errors import UsageError
from inception_bench.gate.duet.order import DuetOrder, Installed, run_duet
from inception_bench.gate.duet.result import load_duet
from inception_bench.gate.duet.revision import checked_out
from inception_bench.gate.duet.side import open_side
from inception_bench.report.duet import duet_json, duet_notes, duet_page
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from tests.conftest import ROOT

CASE = Case(NetworkSpec("googlenet", "", 32, 0.125, 1000), Runtime("onnxruntime", "cpu", "fp32", 1, 1))


@pytest.fixture(autouse=True)
def _cache(cache_root, monkeypatch):
    monkeypatch.setenv("INCEPTION_BENCH_CACHE", str(cache_root))


def measure(folder, b=Installed(), *, budget_s=10.0, busy_share=0.0, min_effect=0.05):  # noqa: B008 - frozen
    order = DuetOrder((CASE,), Installed(), b, folder, budget_s, min_effect, busy_share)
    return run_duet(order, lambda line: None)


@pytest.mark.slow
def test_verdict_follows_from_the_stored_rounds(tmp_path):
    found = measure(tmp_path)
    assert load_duet(tmp_path) == found
    (row,) = found.rows
    assert row.facts == ()
    assert found.exit_code == 0
    (line,) = (tmp_path / "records.jsonl").read_text().splitlines()
    body = json.loads(line)["body"]
    at_once, cores = body["rule"]["pairs_a_look"], [tuple(pair["cores"]) for pair in body["pairs"]]
    assert len(cores) >= 2
    assert all(len(set(cores[at : at + at_once])) == at_once for at in range(0, len(cores), at_once))
    for pair in body["pairs"]:
        assert pair["busy_share"] == {"a": 0.0, "b": 0.0}
        assert {block["order"] for block in pair["blocks"]} == {"ABBA", "BAAB"}
        assert all(seconds > 0 for block in pair["blocks"] for seconds in block["a_s"] + block["b_s"])
    for side in ("a", "b"):
        assert body["sides"][side]["parity"]["error"] <= body["sides"][side]["parity"]["limit"] == 1e-4
    assert row.judgement.pairs == len(cores)  # judged when it was looked at, not between pairs that ran at once
    # Each round of B made twice as long in what was stored, and seen at two looks: the verdict is another.
    record = json.loads(line)
    for pair in record["body"]["pairs"]:
        for block in pair["blocks"]:
            block["b_s"] = [2 * seconds for seconds in block["b_s"]]
    record["body"]["pairs"] *= 2
    (tmp_path / "records.jsonl").write_text(json.dumps(record) + "\n")
    assert load_duet(tmp_path).rows[0].judgement.verdict == "slower"


@pytest.fixture
def two_cores():
    """This process, and all that it starts, on two cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:2])
    yield os.sched_getaffinity(0)
    os.sched_setaffinity(0, before)


@pytest.mark.slow
def test_beside_a_busy_program_pairs_take_turns(two_cores, burner, tmp_path):
    os.sched_setaffinity(burner.pid, two_cores)
    measure(tmp_path)
    body = json.loads((tmp_path / "records.jsonl").read_text())["body"]
    assert {pair["at_once"] for pair in body["pairs"]} == {1}
    assert body["pairs"][0]["others_cores"] > 0.1


@pytest.mark.slow
def test_injected_slowdown_is_slower_and_attested(tmp_path):
    found = measure(tmp_path, busy_share=0.3, budget_s=40.0)
    (row,) = found.rows
    assert row.judgement.verdict == "slower", row
    assert found.exit_code == 1
    record = json.loads((tmp_path / "records.jsonl").read_text())
    assert row.judgement.pairs == len(record["body"]["pairs"]) >= 2  # confirmed by fresh processes
    assert {pair["busy_share"]["b"] for pair in record["body"]["pairs"]} == {0.3}
    assert {pair["busy_share"]["a"] for pair in record["body"]["pairs"]} == {0.0}
    assert duet_notes(found)[0].level == "error"
    assert "slower" in duet_page(found)
    told = duet_json(found)
    assert (told["exit_code"], told["cells"][0]["case"]) == (1, CASE.to_json())


def git(folder, *words):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository of its own that holds the package as it is."""
    home = tmp_path / "repository"
    home.mkdir()
    subprocess.run(["cp", "-r", str(ROOT / "inception_bench"), str(home)], check=True)
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-qm", "as it is")
    return home


def commit_change(repository, old, new, module="models/tables/googlenet.py"):
    path = repository / "inception_bench" / module
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    git(repository, "commit", "-qam", "a change")


def test_revision_with_exchanged_branches_is_red(repository, tmp_path, monkeypatch):
    one, three = 'f"1x1:{one}", ', 'f"1x1:{reduce3} 3x3:{three}", '
    commit_change(repository, one + three, three + one)
    monkeypatch.chdir(repository)
    found = measure(tmp_path / "out", Installed(revision="HEAD"))
    assert found.exit_code == 1
    (sentence,) = found.rows[0].regressions
    # Either a's weights go into the other order and the answer is wrong, or they do not fit it at all.
    fits_not = "weights signal-keeping -> signal-keeping of its own (a's do not fit the network of b: "
    assert "side b, stage parity: mismatch" in sentence or (fits_not in sentence and "Mixed_3b.branches.0" in sentence)


def test_revision_that_answers_no_numbers_is_red(repository, tmp_path, monkeypatch):
    answer = "logits.astype(np.float32)"
    commit_change(repository, answer, f"{answer} * np.nan", "backends/onnxruntime.py")
    monkeypatch.chdir(repository)
    found = measure(tmp_path / "out", Installed(revision="HEAD"))
    assert found.exit_code == 1
    assert "side b, stage parity: mismatch: parity error inf" in found.rows[0].wrong
    (line,) = (tmp_path / "out" / "records.jsonl").read_text().splitlines()
    assert json.loads(line)["body"]["sides"]["b"]["parity"]["error"] is None


def test_revision_with_another_comment_is_green(repository, tmp_path, monkeypatch):
    commit_change(repository, "GOOGLENET = Table(", "# One more line.\nGOOGLENET = Table(")
    monkeypatch.chdir(repository)
    found = measure(tmp_path / "out", Installed(revision="HEAD"))
    assert (found.exit_code, found.rows[0].facts, found.rows[0].reason) == (0, (), "")


def test_revision_that_cannot_be_imported_is_not_compared(repository, tmp_path, monkeypatch):
    (repository / "inception_bench" / "__init__.py").write_text("this is no Python\n")
    git(repository, "commit", "-qam", "broken")
    monkeypatch.chdir(repository)
    found = measure(tmp_path / "out", Installed(revision="HEAD"))
    assert found.exit_code == 2
    assert "side b, stage build: failed" in found.rows[0].reason
    assert "SyntaxError" in found.rows[0].reason
    assert load_duet(tmp_path / "out").exit_code == 2
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1  # the worktree has gone


def test_unknown_revision_and_one_without_the_package_are_refused(repository, monkeypatch):
    git(repository, "rm", "-rq", "inception_bench")
    git(repository, "commit", "-q", "--allow-empty", "-m", "empty")
    monkeypatch.chdir(repository)
    for revision, why in (("no-such", "cannot be checked out"), ("HEAD", "holds no inception_bench")):
        with pytest.raises(UsageError, match=f"revision '{revision}' {why}"), checked_out(revision):
            pytest.fail("it was checked out")


@pytest.mark.slow
def test_environment_without_the_engine_is_not_compared(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    found = measure(tmp_path / "out", Installed(str(tmp_path / "bare")))
    assert found.exit_code == 2
    assert "No module named" in found.rows[0].reason


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["duet"], "duet compares two installations and was given one"),
        (["duet", "--b", "/nowhere/python"], "--b /nowhere/python: no Python there; give an interpreter"),
        (["duet", "--b-rev", "no-such-revision"], "revision 'no-such-revision' cannot be checked out"),
        (["duet", "--b", sys.executable, "--models", "googlnet"], "did you mean 'googlenet'"),
        (["duet", "--b", sys.executable, "--batch-sizes", "0"], "--batch-sizes=0 is not possible"),
        (["duet", "--b", sys.executable, "--budget", "0"], "--budget 0"),
        (["compare", str(ROOT / "results" / "amd-epyc-2-cores")], "holds no duet"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, wanted, tmp_path):
    command = [sys.executable, "-m", "inception_bench", *words]
    where = ["-o", str(tmp_path)] if words[0] == "duet" else []
    done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_is_no_python_is_refused():
    with pytest.raises(UsageError, match=r"side b .* cannot be used"):
        open_side("b", "/bin/false")
