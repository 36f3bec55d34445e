"""How far speed-ups moved between runs of one machine: by hand, in published runs, and on the board."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from inception_bench.gate.stored.between import ONE_RUN, CellBetween, between_runs
from inception_bench.plugin.against import Against
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import Interval
from inception_bench.report.board import COLUMNS
from inception_bench.report.console import board_text
from inception_bench.report.files import write_results
from inception_bench.report.machine import between_line
from tests.conftest import ROOT
from tests.gate.records import CASES, ENVIRONMENT, body, record, rounds

V1, V3 = CASES[1], CASES[3]  # GoogLeNet and Inception-v3 on ONNX Runtime


def of_run(name: str, v1: float, v3: float | None = None, **facts: Any) -> list[Record[Any]]:
    """A run with eager's rows, and ONNX Runtime's at these speed-ups."""
    taken_over, outcome = facts.pop("resumed_from", None), facts.pop("outcome", "ok")
    run = Run(name, f"2026-01-0{len(name)}T00:00:00+00:00", "quick", {**ENVIRONMENT, **facts})
    made = [record("cell", run, case, (100, 200), body(case)) for case in CASES if case.runtime.backend == "eager"]
    for case, speedup in ((V1, v1), (V3, v3)):
        if speedup is not None:
            timed = {**body(case), "outcome": outcome, "rounds": rounds(0.020 / speedup, 0.020)}
            line = {**record("cell", run, case, (100, 200), timed).__dict__, "resumed_from": taken_over}
            made.append(Record(**line))
    return made


def write(folder: Path, *runs: list[Record[Any]]) -> Path:
    folder.mkdir()
    for each in runs:
        for line in each:
            Journal(folder / FILE).append(line)
    return folder


def test_the_range_over_runs_by_hand():
    """GoogLeNet: 2.0, 2.1 and 2.08 are 2.1 / 2.0 - 1 = 5 %; Inception-v3: 3.0, 3.0 and 3.3 are 10 %; median 7.5 %."""
    own = of_run("aaa", 2.08, 3.3)
    found = between_runs(own, [*of_run("a", 2.0, 3.0), *of_run("aa", 2.1, 3.0), *own])
    assert [run.run_id for run in found.runs] == ["a", "aa", "aaa"]
    assert [cell.label for cell in found.cells] == [V1.id, V3.id]
    assert [cell.moved for cell in found.cells] == pytest.approx([0.05, 0.10])
    assert found.moved == pytest.approx(0.075)
    # Rounds that are all equal leave the spread that is expected of processes; here only its width as a figure.
    assert found.within == pytest.approx(median(cell.within for cell in found.cells))
    assert found.within > 0
    assert found.sources == 1


def test_the_interval_within_is_the_median_of_the_runs():
    """From 1.98 to 2.0196 is 2 % wide, from 2.1 to 2.205 is 5 %, from 2.0 to 2.02 is 1 %."""
    intervals = [Interval(2.0, 1.98, 2.0196), Interval(2.15, 2.1, 2.205), Interval(2.01, 2.0, 2.02)]
    cell = CellBetween("a cell", dict(zip("abc", intervals, strict=True)))
    assert cell.within == pytest.approx(0.02)
    assert cell.moved == pytest.approx(0.075)  # 2.15 / 2.0


@pytest.mark.parametrize(
    "other",
    [
        of_run("a", 2.0, cpu="Another"),
        of_run("a", 2.0, system="Another kernel"),
        of_run("a", 2.0, packages={"torch": "2.14.0"}),
        of_run("a", 2.0, resumed_from="some run"),
        of_run("a", 2.0, outcome="mismatch"),
        [],
    ],
    ids=["machine", "kernel", "versions", "taken over", "not ok", "one run"],
)
def test_what_is_no_second_measurement_is_not_counted(other):
    own = of_run("aa", 2.2)
    assert between_runs(own, [*other, *own]) == ONE_RUN
    assert between_line(ONE_RUN) == ""


def test_a_cell_that_was_taken_over_moved_between_those_that_measured_it():
    own = of_run("aaa", 2.2, resumed_from="aa")
    found = between_runs(own, [*of_run("a", 2.0), *of_run("aa", 2.2), *own])
    (cell,) = found.cells
    assert set(cell.speedups) == {"a", "aa"}
    assert cell.moved == pytest.approx(0.10)
    assert [run.run_id for run in found.runs] == ["a", "aa"]


def test_another_network_of_the_same_name_is_another_thing():
    changed = [Record(**{**line.__dict__, "macs": 201}) for line in of_run("a", 2.0)]
    assert between_runs(of_run("aa", 2.2), changed) == ONE_RUN


def test_the_board_says_it_and_its_csv_is_as_before(tmp_path):
    folder = write(tmp_path / "runs", of_run("a", 2.0, 3.0, source_hash="bb"), of_run("aa", 2.1, 3.3))
    board = write_results(folder, Journal(folder / FILE).read()[0])
    line = (
        "Over 2 runs on this machine, by 2 revisions of the code, a speed-up moved by 7.5% (median over 2 cells, at "
        f"most 10.0%; the interval within a run is {board.between.within:.1%} wide)."
    )
    page = (folder / "leaderboard.md").read_text()
    assert line in page
    assert "## Between runs\n\nRuns on this machine and with these versions: a (quick), aa (quick)." in page
    assert f"| {V3.id} | 2 | 3.00 | 3.30 | 10.0% | " in page
    assert board_text(board).endswith(f"\n{line}")
    assert max(map(len, board_text(board).split("Over 2 runs")[0].splitlines())) <= 110
    with (folder / "leaderboard.csv").open(newline="") as stream:
        assert tuple(next(csv.reader(stream))) == COLUMNS


def test_one_run_says_nothing(tmp_path):
    folder = write(tmp_path / "runs", of_run("a", 2.0, 3.0))
    write_results(folder, Journal(folder / FILE).read()[0])
    assert "etween runs" not in (folder / "leaderboard.md").read_text()
    assert "on this machine" not in (folder / "leaderboard.md").read_text()


def test_the_runs_of_a_baseline_count_once(tmp_path):
    """The baseline holds two runs, of which the results folder has one too: with its own that is three."""
    first, second, own = of_run("a", 2.0), of_run("aa", 2.1), of_run("aaa", 2.2)
    folder = write(tmp_path / "results", second, own)
    against = Against.open(write(tmp_path / "baseline", first, second), folder, timed=True)
    board = write_results(folder, Journal(folder / FILE).read()[0], against.stored.records)
    assert [run.run_id for run in board.between.runs] == ["a", "aa", "aaa"]
    assert board.between.moved == pytest.approx(0.10)


def test_two_published_runs_of_one_machine():
    """Inception-v3 was timed in both, minutes apart: the figures of their published boards, one over the other."""
    folders = [ROOT / "results" / name for name in ("amd-epyc-2-cores", "amd-epyc-2-cores-runtimes")]
    all_, few = (Journal(folder / FILE).read()[0] for folder in folders)
    found = between_runs(all_, few)
    published = [
        {row["backend"]: float(row["speedup_vs_eager"] or "nan") for row in csv.DictReader(stream) if _is_v3(row)}
        for stream in map(_open, folders)
    ]
    assert len(found.runs) == 2
    assert [cell.label.split("-")[1] for cell in found.cells] == ["torchscript", "onnxruntime"]
    for cell in found.cells:
        both = [figures[cell.label.split("-")[1]] for figures in published]
        assert cell.moved == pytest.approx(max(both) / min(both) - 1, abs=0.02)


def _is_v3(row: dict[str, str]) -> bool:
    return row["model"] == "inception_v3"


def _open(folder: Path):
    return (folder / "leaderboard.csv").read_text().splitlines()
