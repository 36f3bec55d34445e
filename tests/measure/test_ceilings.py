"""What the machine gives, and what share of it a cell takes: by hand, and read from the real machine."""

from __future__ import annotations

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inception_bench import gauge
from inception_bench.machine.environment import Activity
from inception_bench.measure.ceilings import Ceilings, Gauge, NoCeilings, State
from inception_bench.measure.measurement import ArtifactFacts, Measurement, PairMeasurement
from inception_bench.measure.rounds import Rounds
from inception_bench.plugin.run import BenchRun
from inception_bench.processes.installation import Installation
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import CELL, read_record
from inception_bench.records.record import Record, Run
from inception_bench.records.resume import Earlier
from inception_bench.records.roofline import Machine, roofline_fraction
from inception_bench.report.board import Board, make_board
from inception_bench.report.console import board_text, impossible_line
from inception_bench.report.machine import machine_line
from inception_bench.report.markdown import board_page
from inception_bench.report.pairs import pair_row
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.pair import Pair
from inception_bench.spec.runtime import Runtime
from tests.conftest import ROOT


def bench_run(folder: Path) -> BenchRun:
    """A run that has begun, of which only its records and boards are used."""
    nothing: Any = None
    return BenchRun(
        folder,
        nothing,
        nothing,
        nothing,
        Run.begin("quick"),
        Journal(folder / FILE),
        Activity.now(),
        Earlier(),
        nothing,
    )


RUN = Run("r", "2026-01-01T00:00:00+00:00", "quick", {
    "cpu": "A CPU", "usable_cores": 2, "memory_bytes": 2**34, "python": "3.11", "packages": {}, "git_revision": None,
})  # fmt: skip
CASE = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("onnxruntime", "cpu", "fp32", 4, 2))
MACS = 10**9


def reading(gigamacs: float, **other) -> Ceilings:
    return replace(Ceilings(2, gigamacs * 1e9, "onnxruntime product", 2e10, 0.003, 0.1), **other)


def ceilings(gigamacs: float, **other) -> Record[Ceilings]:
    return Record("ceilings", RUN, None, None, None, reading(gigamacs, **other))


def cell(p50_s: float, **runtime) -> Record[Measurement]:
    rounds = Rounds([p50_s] * 64, [p50_s] * 64, [True] * 64, [0] * 64, [0] * 64)
    body = Measurement("ok", weights="w", rounds=rounds, artifact=ArtifactFacts(1, "d", 1.0))
    return Record("cell", RUN, CASE.with_runtime(**runtime), 1, MACS, body)


def fraction(*records: Record) -> float | None:
    own = next(record for record in records if record.kind == CELL.name)
    return roofline_fraction(own, own.body.timed.candidate_s[0], Machine.of_run(records))


def test_a_fraction_by_hand():
    """Four images of 1 GMAC in 0.05 s are 80 GMAC/s; of 100 that is 0.8."""
    assert fraction(ceilings(100), cell(0.05), ceilings(100)) == pytest.approx(0.8)


def test_the_state_is_the_better_reading_beside_the_cell():
    assert fraction(ceilings(50), cell(0.05), ceilings(100)) == pytest.approx(0.8)
    assert fraction(ceilings(100), cell(0.05)) == pytest.approx(0.8)
    assert fraction(cell(0.05), ceilings(100)) == pytest.approx(0.8)


def test_the_ceiling_is_the_largest_reading_of_the_same_state():
    """109 is within a tenth of 100 and counts; 120 is another state of the machine and does not."""
    records = (ceilings(109), ceilings(120), ceilings(100), cell(0.05), ceilings(100))
    assert fraction(*records) == pytest.approx(80 / 109)


def test_what_was_not_read_has_no_fraction():
    assert fraction(cell(0.05)) is None
    assert fraction(ceilings(100), cell(0.05, threads=1)) is None
    assert fraction(ceilings(100), cell(0.05, precision="bf16")) is None
    assert fraction(ceilings(100, bf16_macs_s=4e11), cell(0.05, precision="bf16")) == pytest.approx(0.2)
    assert fraction(ceilings(100), replace(cell(0.05), resumed_from="another run"), ceilings(100)) is None


def test_a_cell_during_which_the_machine_changed_is_marked():
    assert State(reading(100), reading(111)).has_changed
    assert not State(reading(100), reading(109)).has_changed
    assert not State(None, reading(100)).has_changed
    board = make_board([ceilings(100), cell(0.05), ceilings(80)])
    assert board.rows[0].reason == "the machine's pace changed by -20% meanwhile"
    assert "; its pace changed by over 10 % during 1 cell." in machine_line(board)


@pytest.mark.parametrize(("p50_s", "marked", "impossible"), [(0.0404, False, 0), (0.0396, True, 0), (0.0376, True, 1)])
def test_a_ceiling_that_is_beaten_is_marked_and_then_fails(p50_s: float, marked: bool, impossible: int):
    """0.04 s would be exactly the ceiling: 1 % under and over it, and 6 % over it."""
    board = make_board([ceilings(100), cell(p50_s), ceilings(100)])
    assert ("of the machine's measured ceiling" in board.rows[0].reason) is marked
    assert len(board.impossible) == impossible
    if impossible:
        assert impossible_line(board.rows[0]).startswith("googlenet onnxruntime fp32 b4: 106% of the fastest product")


def test_the_page_has_the_machine_line():
    page = board_page(make_board([ceilings(100), cell(0.05), ceilings(110)]), RUN)
    assert "Machine: 105 GMAC/s in fp32 on 2 threads (100 to 110 over 2 readings, onnxruntime product), copies" in page
    assert machine_line(Board(())) == ""


def test_a_record_is_read_as_it_was_written():
    record = ceilings(100)
    assert read_record(record.to_json()) == record
    assert record.to_json()["case"] == {}


def test_this_machine_is_read():
    """Bounds that no machine leaves: a pace between a hundredth and a thousand times that of this one's scalar loop."""
    own = Gauge(1, ["fp32", "bf16"])
    first, second = own.read(), own.read()
    own.close()
    assert first is not None
    assert second is not None
    for each in (first, second):
        assert 1e8 < each.fp32_macs_s < 1e13
        assert 1e8 < each.copy_bytes_s < 1e13
        assert each.by.split()[0] in ("onnxruntime", "openvino")
        assert each.bf16_macs_s is not None
    assert first.threads == 1


def test_the_works_do_what_their_macs_say():
    """ONNX Runtime's product and convolution of the gauge, against NumPy's."""
    product, convolution = gauge._onnxruntime(1)
    square, maps, filters = gauge._inputs()
    np.testing.assert_allclose(product.call()[0], square @ square, rtol=1e-4)
    assert product.macs == square.shape[0] ** 3
    padded = np.pad(maps[0], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, 5, 7]
    at_5_7 = np.einsum("ckl,fckl->f", windows, filters)
    np.testing.assert_allclose(convolution.call()[0][0, :, 5, 7], at_5_7, rtol=1e-4)
    assert convolution.macs == filters.size * maps.shape[2] * maps.shape[3]


def test_a_gauge_that_dies_says_so_once_and_costs_nothing():
    own = Gauge(1, ["fp32"])
    os.kill(own._started().pid, signal.SIGKILL)
    assert own.read() == NoCeilings(1, "failed", "the process was killed by SIGKILL")
    assert own.read() is None
    own.close()


def test_a_gauge_that_cannot_start_says_so():
    own = Gauge(1, ["fp32"], Installation("/nowhere/python", ROOT, {}))
    assert own.read() == NoCeilings(1, "failed", "the process did not start: No such file or directory")
    assert own.read() is None
    own.close()


def test_why_the_machine_was_not_read_reaches_records_and_board(tmp_path):
    """Of two cells the second comes after the gauge has died: it has no ceiling, and no other reading beside it."""
    run = bench_run(tmp_path)
    run.gauge = Gauge(2, ["fp32"])
    run.read_machine()
    run.keep_cell(CASE, cell(0.05).body)
    os.kill(run.gauge._started().pid, signal.SIGKILL)
    run._read_at = -math.inf  # as if the last reading were old
    run.keep_cell(CASE.with_runtime(backend="torchscript"), cell(0.05).body)
    run._read_at = -math.inf
    run.keep_cell(CASE.with_runtime(backend="openvino"), cell(0.05).body)
    run.gauge.close()
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    assert kinds == ["ceilings", "cell", "cell", "no_ceilings", "cell"]
    board = run.write_board()
    line = "From some cell on what it gives was not read: failed: the process was killed by SIGKILL."
    assert machine_line(board).endswith(f" GB/s. {line}")
    assert {row.backend: row.roofline_fraction is None for row in board.rows} == {
        "onnxruntime": False, "torchscript": False, "openvino": True,
    }  # fmt: skip
    assert line in (tmp_path / "leaderboard.md").read_text()


def test_a_run_is_held_against_the_other_runs_of_its_folder_and_those_that_it_is_given(tmp_path):
    """60 after 100 GMAC/s is the folder's own earlier run; a newer one that is given, as a baseline's, counts first."""
    run = bench_run(tmp_path)
    earlier = [replace(run.run, run_id=name, started=f"2020-01-0{day}") for day, name in ((1, "own"), (2, "given"))]
    own, given = ([replace(ceilings(pace), run=each)] for pace, each in zip((100, 120), earlier, strict=True))
    run.journal.append(own[0])
    run.gauge = None
    run._append(replace(ceilings(60), run=run.run))
    assert run.write_board().earlier.run.run_id == "own"
    assert run.write_board().earlier.share == pytest.approx(0.6)
    run.others = given
    run.keep_cell(CASE, cell(0.05).body)
    assert run.write_board().earlier.share == pytest.approx(0.5)


def test_a_machine_that_was_never_read_says_why():
    broken = Record("no_ceilings", RUN, None, None, None, NoCeilings(2, "timeout", "no answer within 120 s"))
    board = make_board([broken, cell(0.05)])
    assert machine_line(board) == "Machine: what it gives was not read: timeout: no answer within 120 s."
    assert board_text(board).endswith(machine_line(board))
    assert board.rows[0].roofline_fraction is None
    assert read_record(broken.to_json()) == broken


def test_a_pair_has_a_reading_after_it_and_a_mark(tmp_path):
    run = bench_run(tmp_path)
    run.gauge = Gauge(2, ["fp32"])
    pair = Pair("3x3_for_5x5", CASE, CASE.with_network(model="googlenet_naive"))
    run.keep_pair(pair, cell(0.05).body)
    run.keep_pair(pair, Measurement("mismatch"))
    run.gauge.close()
    assert [record.kind for record in run.kept] == ["pair", "ceilings", "pair"]
    body = PairMeasurement.of(pair, cell(0.05).body)
    timed = Record("pair", RUN, CASE, 1, MACS, body)
    machine = Machine.of_run([ceilings(100), timed, ceilings(80)])
    assert pair_row(timed, machine).reason == "the machine's pace changed by -20% meanwhile"
    board = Board((), machine)
    assert "; its pace changed by over 10 % during 1 pair." in machine_line(board)


def test_the_ceiling_is_of_the_whole_run_by_hand():
    """Around the cell 90 and 100: its state is 100. 91 to 109 are within a tenth of it, wherever in the run they were.

    So 109, read long after the cell, is its ceiling; 111 and 89 are other states. Of another thread count nothing is
    compared. bf16 has a state and ceilings of its own: 390 beside readings of 400 and 430, where 450 is another state.
    """
    around = (ceilings(90, bf16_macs_s=3.9e11), cell(0.05), ceilings(100, bf16_macs_s=4.0e11))
    rest = (
        ceilings(111, bf16_macs_s=4.3e11),
        ceilings(89, bf16_macs_s=4.5e11),
        ceilings(109),
        ceilings(109.5, threads=1),
    )
    assert fraction(*around, *rest) == pytest.approx(80 / 109)
    assert fraction(around[0], cell(0.05, precision="bf16"), *around[2:], *rest) == pytest.approx(80 / 430)
    assert fraction(ceilings(104), *around) == pytest.approx(80 / 104)


def test_the_board_says_what_share_of_an_earlier_run_the_machine_gave():
    """61 of the 100 of the newest earlier run, under another kernel; one thread, and another CPU, do not count."""

    def of_run(run_id: str, gigamacs: float, day: int, threads: int = 2, **facts) -> list[Record]:
        run = replace(RUN, run_id=run_id, started=f"2025-12-{day:02}T00:00:00+00:00")
        run = replace(run, environment={**RUN.environment, **facts})
        return [replace(ceilings(pace, threads=threads), run=run) for pace in (gigamacs, gigamacs + 1, gigamacs - 1)]

    others = [
        *of_run("older", 200, 1),
        *of_run("last", 100, 2, system="a kernel"),
        *of_run("one-thread", 50, 3, threads=1),
        *of_run("another", 400, 4, cpu="Another"),
    ]
    own = [ceilings(60), cell(0.05), ceilings(62)]
    board = make_board(own, [*others, *own])
    assert "This machine gave 61% of what it gave in run last (100 GMAC/s)." in machine_line(board)
    assert machine_line(board) in board_page(board, RUN)
    assert "This machine gave" not in machine_line(make_board(own, own))
    later = [replace(record, run=replace(record.run, started="2026-02-01T00:00:00+00:00")) for record in others]
    assert "This machine gave" not in machine_line(make_board(own, later))


def test_without_an_engine_numpy_is_asked(monkeypatch):
    monkeypatch.setattr(gauge, "find_spec", lambda module: None)
    own = gauge.Works()
    own.start({"threads": 1, "precisions": []})
    assert own.read({})[0]["by"] == "numpy product"
