"""The records file: append-only, and robust against lines that a killed run left unfinished."""

from __future__ import annotations

import json

import pytest

from inception_bench.errors import UsageError
from inception_bench.measure.measurement import Measurement
from inception_bench.records.journal import Journal
from inception_bench.records.kinds import CELL
from inception_bench.records.record import SCHEMA, Record, Run
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from tests.conftest import ROOT

RUN = Run("r1", "2026-01-01T00:00:00+00:00", "smoke", {"cpu": "A CPU"})


CASE = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 2))


def make(backend: str) -> Record[Measurement]:
    return Record("cell", RUN, CASE.with_runtime(backend=backend), 1, 2, Measurement(outcome="timeout"))


def test_what_is_written_is_read(tmp_path):
    journal = Journal(tmp_path / "records.jsonl")
    journal.append(make("a"))
    journal.append(make("b"))
    assert journal.read() == ([make("a"), make("b")], [])
    assert json.loads(journal.path.read_text().splitlines()[0])["schema"] == SCHEMA


@pytest.mark.parametrize("keep", [1, 10, -1])
def test_cut_last_line_is_reported_and_the_next_append_is_whole(tmp_path, keep):
    journal = Journal(tmp_path / "records.jsonl")
    journal.append(make("a"))
    length = journal.path.stat().st_size
    journal.append(make("b"))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[: length + keep] if keep > 0 else whole[:-2])
    records, (complaint,) = journal.read()
    assert records == [make("a")]
    assert "line 2 skipped (the last line, cut short)" in complaint
    journal.append(make("c"))
    records, (complaint,) = journal.read()
    assert records == [make("a"), make("c")]
    assert "line 2 skipped" in complaint


def test_line_cut_at_its_very_end_still_counts(tmp_path):
    journal = Journal(tmp_path / "records.jsonl")
    journal.append(make("a"))
    journal.path.write_bytes(journal.path.read_bytes()[:-1])  # only the line break is missing
    journal.append(make("b"))
    assert journal.read() == ([make("a"), make("b")], [])


def test_the_first_schema_is_still_read():
    """A published run of the first version: its cells had no word of weights or data."""
    path = ROOT / "results" / "amd-epyc-2-cores-runtimes" / "records.jsonl"
    assert '"schema": 1' in path.read_text().splitlines()[0]
    records, complaints = Journal(path).read()
    assert not complaints
    networks = [record.own_case.network for record in records]
    assert {(network.weights, network.data) for network in networks} == {("signal-keeping", "")}
    assert {record.took_s for record in records} == {None}
    assert CELL.among(records)[0].own_case.id == "inception_v3-eager-cpu-fp32-b1-299px"


def test_other_schema_is_named(tmp_path):
    journal = Journal(tmp_path / "records.jsonl")
    journal.path.write_text(json.dumps({**make("a").to_json(), "schema": 99}) + "\n" + '{"schema": 1}\n[1]\n')
    records, complaints = journal.read()
    assert records == []
    assert "schema 99; this version reads 1 to 3" in complaints[0]
    assert len(complaints) == 3


def test_infinity_is_never_written(tmp_path):
    bad = Record("cell", RUN, CASE, 1, 2, Measurement(load_s=float("inf")))
    journal = Journal(tmp_path / "records.jsonl")
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.append(bad)
    assert not journal.path.exists()


def test_no_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="does not exist; give a results folder"):
        Journal(tmp_path / "records.jsonl").read()
