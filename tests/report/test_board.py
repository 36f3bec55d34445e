"""Ranks and rows from records made by hand."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from inception_bench.backends.base import Attestation
from inception_bench.measure.measurement import ArtifactFacts, Measurement
from inception_bench.measure.parity import Parity
from inception_bench.measure.rounds import Rounds
from inception_bench.records.record import Record, Run
from inception_bench.report.board import BoardRow, make_board, rank_group, read_row
from inception_bench.report.console import board_text
from inception_bench.report.markdown import board_page, table
from inception_bench.report.text import duration, megabytes, milliseconds
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

CASE = Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 2))
RUN = Run(
    "run-1", "2026-01-01T00:00:00+00:00", "smoke",
    {"cpu": "A CPU", "usable_cores": 2, "memory_bytes": 2**34, "python": "3.11", "packages": {}, "git_revision": None},
)  # fmt: skip


def row(backend: str, low: float | None, value: float | None, high: float | None) -> BoardRow:
    blank = BoardRow(
        None, "m", "", backend, "cpu", "fp32", 1, 224, 1.0, 1000, "w", 2, "ok" if value else "failed", "", 1, 1
    )  # fmt: skip
    return replace(blank, speedup_vs_eager=value, speedup_ci95_low=low, speedup_ci95_high=high)


def record(seconds: list[float], eager_seconds: list[float], backend: str = "onnxruntime") -> Record[Measurement]:
    count = len(seconds)
    rounds = Rounds(seconds, eager_seconds, [True] * count, [0] * (count - 16) + [2] * 16, [0] * count)
    body = Measurement(
        outcome="ok",
        weights="signal-keeping",
        parity=Parity(1e-6, 1e-4, 0.5, "kernel", {}),
        rounds=rounds,
        peak_rss_bytes=10**8,
        first_call_s=0.5,
        artifact=ArtifactFacts(10**6, "digest", 3.0),
    )
    return Record("cell", RUN, CASE.with_runtime(backend=backend), 100, 200, body)


def test_ranks_tie_where_intervals_overlap():
    rows = [row("a", 0.95, 1.0, 1.05), row("b", 1.9, 2.0, 2.1), row("c", 2.05, 2.2, 2.3), row("d", 3.0, 3.1, 3.2)]
    ranked = [(found.backend, found.rank) for found in rank_group(rows)]
    # d is wholly faster than all; b and c overlap; a is wholly slower than all.
    assert ranked == [("d", "1-1"), ("c", "2-3"), ("b", "2-3"), ("a", "4-4")]


def test_rank_of_a_chain_of_overlaps():
    rows = [row("a", 1.0, 1.2, 1.4), row("b", 1.3, 1.5, 1.7), row("c", 1.6, 1.8, 2.0)]
    # a overlaps b, b overlaps c, but c is wholly faster than a.
    assert {found.backend: found.rank for found in rank_group(rows)} == {"c": "1-2", "b": "1-3", "a": "2-3"}


def test_untimed_rows_come_last_and_unranked():
    ranked = rank_group([row("broken", None, None, None), row("a", 0.9, 1.0, 1.1)])
    assert [(found.backend, found.rank) for found in ranked] == [("a", "1-1"), ("broken", None)]


def test_row_from_rounds_by_hand():
    found = read_row(record([0.010] * 64, [0.025] * 64))
    assert (found.latency_s_p50, found.latency_s_p90, found.latency_s_p99) == (0.010, 0.010, None)
    assert found.speedup_vs_eager == pytest.approx(2.5)
    assert found.throughput_img_s == pytest.approx(100.0)
    assert found.preempted_share == 0.25
    assert (found.params, found.macs, found.rounds) == (100, 200, 64)


def test_too_few_rounds_are_no_result():
    with pytest.raises(ValueError, match="63 rounds are too few"):
        read_row(record([0.010] * 63, [0.025] * 63))


def test_wide_interval_is_marked():
    noisy = [0.010 + 0.001 * (n % 9) for n in range(64)]
    found = read_row(record(noisy, [0.025] * 64))
    assert found.is_wide
    assert found.reason == "speed-up interval wider than 10%"


def over_pairs(eager_seconds: list[float], aim: float | None = None) -> Record[Measurement]:
    """22 rounds of 10 ms in each pair of processes, in which eager takes the given seconds."""
    count = 22 * len(eager_seconds)
    found = record([0.010] * count, [seconds for seconds in eager_seconds for _ in range(22)])
    numbers = [at // 22 for at in range(count)]
    rounds = replace(found.body.timed, process_pair=numbers, reference_first=[True, False] * (count // 2))
    return replace(found, body=replace(found.body, rounds=rounds, aim=aim))


def test_a_row_over_pairs_of_processes_has_a_95_percent_interval():
    found = read_row(over_pairs([0.020, 0.020, 0.020]))
    assert (found.pairs, found.rounds, found.reason) == (3, 66, "")
    assert found.speedup_vs_eager == pytest.approx(2.0)
    assert found.speedup_ci95_low < 2.0 < found.speedup_ci95_high
    page = board_page(make_board([over_pairs([0.020, 0.020, 0.020])]), RUN)
    assert "speed-up vs eager (95 %)" in page
    assert "within one pair" not in page


def test_a_row_of_one_pair_is_never_called_95_percent():
    page = board_page(make_board([record([0.010] * 64, [0.025] * 64)]), RUN)
    assert "speed-up vs eager (within one pair)" in page
    assert "it is no 95 % interval" in page


def test_a_row_that_ends_wider_than_was_aimed_at_says_so():
    wide = read_row(over_pairs([0.020, 0.0204, 0.0208], aim=0.001))
    half = (wide.speedup_ci95_high - wide.speedup_ci95_low) / wide.speedup_vs_eager / 2
    assert wide.reason == f"speed-up interval of ±{half:.2%}, ±0% was aimed at"
    assert read_row(over_pairs([0.020, 0.0204, 0.0208], aim=0.2)).reason == ""


def test_a_machine_that_changed_between_pairs_is_marked():
    """Eager takes 20 ms in two pairs and 22.2 ms in the third, 11 % more; 21.8 ms, 9 % more, is let pass."""
    mark = "the machine changed between its pairs: eager itself took 20 ms to 22.2 ms"
    assert read_row(over_pairs([0.020, 0.020, 0.0222])).reason == mark
    assert read_row(over_pairs([0.020, 0.020, 0.0218])).reason == ""


def attesting(precision: str, seconds: list[float]) -> Record[Measurement]:
    """A cell on CUDA in fp16 whose engine says that it computes in ``precision``."""
    found = record(seconds, [0.025] * 64, "tensorrt")
    case = found.own_case.with_runtime(device="cuda", precision="fp16")
    attest = Attestation("tensorrt", "10", "cuda", precision, 2)
    return replace(found, case=case, body=replace(found.body, attest=attest))


@pytest.mark.parametrize("precision", ["unknown", "fp16+unknown"])
def test_a_precision_that_the_engine_hides_is_marked_and_timed(precision: str):
    board = make_board([attesting(precision, [0.010] * 64)])
    (found,) = board.rows
    assert (found.outcome, found.latency_s_p50, found.rank) == ("ok", 0.010, "1-1")
    assert found.reason == "the engine does not show in what precision it computes"
    page = board_page(board, RUN)
    assert "| 1-1 | tensorrt | fp16 ? | 10 ms |" in page
    assert "`?`: the engine does not show in what precision it computes; it was asked for the one" in page
    assert "tensorrt fp16 ?" in board_text(board, width=200)


def test_a_precision_that_the_engine_shows_is_not_marked():
    page = board_page(make_board([attesting("fp16", [0.010] * 64)]), RUN)
    assert "| fp16 |" in page
    assert "?" not in page


def test_a_row_has_all_its_marks():
    found = read_row(attesting("unknown", [0.010 + 0.001 * (n % 9) for n in range(64)]))
    assert found.is_wide
    assert found.reason == ("the engine does not show in what precision it computes; speed-up interval wider than 10%")


def test_last_record_of_a_cell_counts():
    board = make_board([record([0.010] * 64, [0.02] * 64), record([0.005] * 64, [0.02] * 64)])
    assert [found.latency_s_p50 for found in board.rows] == [0.005]


@pytest.mark.parametrize("absent", [False, True])
def test_a_table_keeps_its_text_with_and_without_the_library_for_it(monkeypatch, absent: bool):
    """No number is written anew, no column is padded, and a bar ends no cell. A GPU host may lack tabulate."""
    if absent:
        monkeypatch.setitem(sys.modules, "tabulate", None)
    found = table(("cell", "", "time"), [("a|b", "", "1.50"), ("longer than its head", "0012", "1e-5")])
    assert found.splitlines() == [
        "| cell |  | time |",
        "| --- | --- | --- |",
        "| a/b |  | 1.50 |",
        "| longer than its head | 0012 | 1e-5 |",
    ]
    assert table(("cell", "time"), []) == "| cell | time |\n| --- | --- |"


def test_page_shows_rank_time_and_ratio():
    page = board_page(
        make_board([record([0.010] * 64, [0.025] * 64), record([0.025] * 64, [0.025] * 64, "eager")]), RUN
    )
    assert "| 1-1 | onnxruntime | fp32 | 10 ms | 10 ms | 100 | 2.50 (2.50-2.50) | 100 MB |" in page
    assert "| 2-2 | eager | fp32 | 25 ms |" in page
    assert "A CPU, 2 cores, 16 GiB" in page


def test_numbers_as_people_read_them():
    assert (milliseconds(0.0123456), milliseconds(1.5), milliseconds(None)) == ("12.3 ms", "1500 ms", "")
    assert (megabytes(1_500_000), duration(75), duration(3725)) == ("2 MB", "1:15", "1:02:05")
