"""The main job, end to end: a run of the suites and what it leaves behind."""

from __future__ import annotations

import csv
import json
import re
import statistics
import subprocess

import pytest

from inception_bench.records.kinds import read_record
from inception_bench.records.speedup import speedup
from inception_bench.records.statistics import percentile_upper
from inception_bench.report.board import COLUMNS
from tests.conftest import ROOT, SMALL, Launcher

CONTRACT_COLUMNS = [
    "rank",
    "model",
    "definition",
    "backend",
    "device",
    "precision",
    "batch_size",
    "input_size",
    "width_mult",
    "num_classes",
    "weights",
    "threads",
    "outcome",
    "reason",
    "params",
    "macs",
    "latency_s_p50",
    "latency_s_p90",
    "latency_s_p99",
    "throughput_img_s",
    "speedup_vs_eager",
    "speedup_ci95_low",
    "speedup_ci95_high",
    "peak_rss_bytes",
    "peak_device_bytes",
    "artifact_bytes",
    "build_s",
    "first_call_s",
    "parity_error",
    "parity_limit",
    "top1_agreement",
    "top1",
    "top1_ci95_low",
    "top1_ci95_high",
    "top5",
    "accuracy_images",
    "dataset",
    "roofline_fraction",
    "rounds",
    "pairs",
    "preempted_share",
    "clock",
    "transfer",
    "options",
    "resumed_from",
    "run_id",
]


PORTABLE = ("eager", "torchscript", "onnxruntime")


def test_run_is_green_and_shows_where_the_files_are(small_run):
    assert small_run.code == 0, small_run.output
    assert "4 passed" in small_run.output
    assert str(small_run.folder) in small_run.output


def test_progress_names_item_count_result_and_time_left_without_s(small_run):
    """In a log each item has a line of its own, written when it ends; the last one leaves nothing."""
    lines = [line for line in small_run.output.splitlines() if re.match(r"\[\d/4\] ", line)]
    assert [line.split(" : ")[0] for line in lines] == [
        "[1/4] googlenet-complexity",
        *(f"[{n}/4] googlenet-{name}-cpu-fp32-b1-32px-w0.125" for n, name in enumerate(PORTABLE, 2)),
    ]
    assert re.search(r" : ok  \S+ ms  \S+ \(\S+\)x eager  about \d+:\d\d left$", lines[2])
    assert lines[3].endswith("x eager")


def test_what_each_item_took_is_kept(small_run, launcher):
    """In its record, and beside the artifacts for the time left of later runs; the machine's readings are no items."""
    took = [line["took_s"] for line in small_run.lines() if line["kind"] != "ceilings"]
    assert len(took) == 4
    assert all(seconds > 0 for seconds in took)
    assert {line["took_s"] for line in small_run.lines() if line["kind"] == "ceilings"} == {None}
    # Other tests' runs keep theirs in the same cache, each profile and number of threads apart.
    places = json.loads((launcher.cache / "durations.json").read_text())["took_s"]
    (place,) = [items for name, items in places.items() if name.endswith(", 1 threads, cpu, quick")]
    seconds = place["cell googlenet-eager-cpu-fp32-b1-32px-w0.125"]
    record = next(line for line in small_run.lines() if line["kind"] == "cell" and line["case"]["backend"] == "eager")
    assert any(record["took_s"] <= each for each in seconds.values())


def test_columns_are_the_contract(small_run):
    assert list(COLUMNS) == CONTRACT_COLUMNS
    assert list(small_run.rows()[0]) == CONTRACT_COLUMNS


@pytest.mark.parametrize("backend", ["eager", "torchscript", "onnxruntime"])
def test_row_is_complete(small_run, backend):
    row = small_run.row(backend)
    assert (row["outcome"], row["weights"], row["clock"]) == ("ok", "signal-keeping", "host")
    assert int(row["rounds"]) >= 64
    assert int(row["pairs"]) >= 3
    assert 0 < float(row["latency_s_p50"]) <= float(row["latency_s_p90"])
    assert row["top1"] == row["peak_device_bytes"] == ""
    assert (row["latency_s_p99"] == "") == (int(row["rounds"]) < 662)
    assert float(row["speedup_ci95_low"]) <= float(row["speedup_vs_eager"]) <= float(row["speedup_ci95_high"])
    assert float(row["parity_error"]) <= float(row["parity_limit"]) == 1e-4
    assert float(row["throughput_img_s"]) == pytest.approx(1 / float(row["latency_s_p50"]))
    assert int(row["peak_rss_bytes"]) > 20e6
    assert float(row["first_call_s"]) > 0
    assert int(row["artifact_bytes"]) > 4 * int(row["params"])  # binary32 weights and more


def test_benchmark_json_medians_equal_the_board(small_run):
    data = json.loads((small_run.folder / "benchmark.json").read_text())
    medians = {bench["name"]: bench["stats"]["median"] for bench in data["benchmarks"] if bench["group"] != "exact"}
    assert len(medians) == 3
    for name, median in medians.items():
        backend = name.split("-")[1]
        assert abs(median - float(small_run.row(backend)["latency_s_p50"])) < 1e-9


def test_board_follows_from_the_raw_rounds(small_run):
    (record,) = [r for r in small_run.records() if r["case"]["backend"] == "onnxruntime" and r["kind"] == "cell"]
    rounds = record["body"]["rounds"]
    row = small_run.row("onnxruntime")
    lengths = {len(rounds[name]) for name in ("candidate_s", "reference_s", "candidate_preempted", "process_pair")}
    assert lengths == {int(row["rounds"])}
    assert len(set(rounds["process_pair"])) == len(record["body"]["pairs"]) == int(row["pairs"])
    # Blocks of two pairs of rounds: in one of them eager ran first, in the other the cell.
    first = rounds["reference_first"]
    assert all(one is not other for one, other in zip(first[::2], first[1::2], strict=True))
    assert statistics.median(rounds["candidate_s"]) == float(row["latency_s_p50"])
    found = speedup(read_record(record))
    columns = ("speedup_vs_eager", "speedup_ci95_low", "speedup_ci95_high")
    assert [float(row[name]) for name in columns] == pytest.approx([found.value, found.low, found.high], rel=1e-12)
    # The estimate lies among the ratios of the rounds themselves.
    ratios = [eager / own for eager, own in zip(rounds["reference_s"], rounds["candidate_s"], strict=True)]
    lower, _, upper = statistics.quantiles(ratios, n=4)
    assert lower < found.value < upper
    assert percentile_upper(rounds["candidate_s"], 0.9) == float(row["latency_s_p90"])


def test_the_machine_is_read_around_every_cell(small_run):
    """Before the first cell and after each; a cell of this size takes a small share of what there is."""
    kinds = [line["kind"] for line in small_run.lines() if line["kind"] in ("cell", "ceilings")]
    assert kinds == ["ceilings", *["cell", "ceilings"] * 3]
    assert {line["body"]["threads"] for line in small_run.lines() if line["kind"] == "ceilings"} == {1}
    assert all(0 < float(row["roofline_fraction"]) < 1 for row in small_run.rows())
    assert "Machine: " in small_run.output
    assert "GMAC/s in fp32 on 1 threads (" in (small_run.folder / "leaderboard.md").read_text()


def test_onnxruntime_worker_imports_no_torch(small_run):
    modules = {r["case"]["backend"]: r["body"]["worker"]["modules"] for r in small_run.records() if r["kind"] == "cell"}
    assert modules == {"eager": ["torch"], "torchscript": ["torch"], "onnxruntime": ["onnxruntime"]}


def test_batch_norms_are_folded_where_they_say(small_run):
    attest = {r["case"]["backend"]: r["body"]["attest"] for r in small_run.records() if r["kind"] == "cell"}
    assert {name: found["precision"] for name, found in attest.items()} == dict.fromkeys(attest, "fp32")
    assert attest["onnxruntime"]["engine_version"].count(".") == 2


def test_complexity_csv_adds_up(small_run):
    with (small_run.folder / "complexity.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["model", "definition", "row", "grid", "channels", "params", "macs", "fvcore_other"]
    assert sum(int(row["params"]) for row in rows) == int(small_run.row("eager")["params"])
    assert sum(int(row["macs"]) for row in rows) == int(small_run.row("eager")["macs"])
    assert (rows[0]["row"], rows[0]["grid"], rows[-1]["row"]) == ("Conv2d_1a_7x7", "16x16", "Logits")


def test_environment_is_written(small_run):
    facts = json.loads((small_run.folder / "environment.json").read_text())
    found = facts["environment"]
    assert found["usable_cores"] >= 1
    assert found["packages"]["torch"]
    assert {"governor", "git_revision", "source_hash", "cpu"} <= set(found)
    assert {"load_average", "steal_s"} <= set(facts["activity"])


def test_second_run_builds_nothing_and_compares(launcher, small_run, tmp_path):
    saved = [f"--benchmark-compare={small_run.folder / 'benchmark.json'}", "--benchmark-compare-fail=median:5000%"]
    again = launcher.run(tmp_path, *SMALL, "--inception-backends=torchscript,onnxruntime", *saved)
    assert again.code == 0, again.output
    assert "(NOW)" in again.output
    assert [r["body"]["artifact"]["cached"] for r in again.records()] == [True, True]


def test_disabled_benchmark_checks_and_writes_nothing(launcher, tmp_path):
    folder = tmp_path / "none"
    command = launcher.command(folder, *SMALL, "--inception-backends=eager,wrong_kernel", "--benchmark-disable")
    command.remove("--benchmark-only")
    done = subprocess.run(command, cwd=ROOT, env=launcher.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "checked" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert not folder.exists()


def test_source_tree_gives_the_same_board_without_installing(cache_root, small_run, tmp_path):
    run = Launcher(cache_root, installed=False).run(tmp_path, *SMALL, "--inception-backends=eager,onnxruntime")
    assert run.code == 0, run.output
    exact = ("model", "backend", "outcome", "params", "macs", "artifact_bytes", "parity_error", "weights")
    for backend in ("eager", "onnxruntime"):
        assert [run.row(backend)[name] for name in exact] == [small_run.row(backend)[name] for name in exact]
