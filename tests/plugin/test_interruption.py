"""A run that is cut short keeps every finished cell, and leaves no process behind."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, SMALL, Launcher


def wait_for(terminal: int, wanted: str) -> None:
    """Read the terminal until it shows what is wanted."""
    seen = ""
    while not re.search(wanted, seen):
        try:
            seen += os.read(terminal, 1000).decode()
        except OSError:  # nobody writes there any more
            pytest.fail(f"the run ended too soon: {seen}")


def drain(terminal: int) -> str:
    """What else is written to the terminal until nobody has it open, without colours."""
    seen = ""
    with suppress(OSError):
        while more := os.read(terminal, 1000):
            seen += more.decode()
    return re.sub(r"\x1b\[\d+m", "", seen)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 2)])
def test_finished_cells_survive(launcher, tmp_path, number, code):
    # 'hangs' is a worker inside an endless call: the hardest kind to leave behind by mistake.
    terminal, its_end = pty.openpty()
    process = launcher.start(tmp_path, *SMALL, "--inception-backends=onnxruntime,hangs", stdout=its_end)
    os.close(its_end)
    wait_for(terminal, r"\[2/2\] \S+  time")  # the first is finished then
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.send_signal(number)
    rest = drain(terminal)
    os.close(terminal)
    assert process.wait() == code
    assert ("[2/2] googlenet-hangs-cpu-fp32-b1-32px-w0.125 : KeyboardInterrupt  in stage 'time'" in rest) == (code == 2)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, [worker.cmdline() for worker in alive]

    board = run_board(tmp_path, "--json")
    assert board.returncode == 0, board.stderr
    (row,) = json.loads(board.stdout)
    assert (row["backend"], row["outcome"], row["rank"]) == ("onnxruntime", "ok", "1-1")
    assert (tmp_path / "leaderboard.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 2)])
def test_building_ahead_leaves_no_process(tmp_path, number, code):
    terminal, its_end = pty.openpty()
    source = Launcher(tmp_path / "cache", installed=False)
    process = source.start(tmp_path / "results", *SMALL, "--inception-backends=onnxruntime", stdout=its_end)
    os.close(its_end)
    wait_for(terminal, "build 0/1 networks")
    while not (builders := psutil.Process(process.pid).children(recursive=True)):
        pass
    process.send_signal(number)
    drain(terminal)
    os.close(terminal)
    assert process.wait() == code
    _, alive = psutil.wait_procs(builders, timeout=30)
    assert not alive, [builder.cmdline() for builder in alive]


def test_damaged_last_line_is_reported_and_costs_nothing_else(small_run, tmp_path):
    """Cut within the last cell's line, which the last reading of the machine follows."""
    lines = (small_run.folder / "records.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    (tmp_path / "records.jsonl").write_bytes(b"".join(lines)[:-200])
    board = run_board(tmp_path, "--json")
    assert board.returncode == 0
    assert f"line {len(lines)} skipped (the last line, cut short)" in board.stderr
    assert len(json.loads(board.stdout)) == 2  # of three cells


def test_board_of_a_folder_without_records_is_one_line(tmp_path):
    board = run_board(tmp_path)
    assert board.returncode == 2
    assert board.stdout == ""
    assert board.stderr.count("\n") == 1
    assert "records.jsonl" in board.stderr


def run_board(folder: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "inception_bench", "board", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
