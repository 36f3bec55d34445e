"""The files of a results folder that are made from its records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inception_bench.errors import OptionError, UsageError
from inception_bench.records.journal import FILE, TRAIN, Journal, newest_run
from inception_bench.records.record import Record, Run
from inception_bench.records.trainings import keep_trained
from inception_bench.report import board as board_module
from inception_bench.report import claims as claims_module
from inception_bench.report import complexity as complexity_module
from inception_bench.report import pairs as pairs_module
from inception_bench.report.board import Board, make_board
from inception_bench.report.claims import claim_row, outcomes_of
from inception_bench.report.claims_page import claims_page
from inception_bench.report.complexity import complexity_rows
from inception_bench.report.markdown import board_page
from inception_bench.report.pairs import pair_rows
from inception_bench.report.pairs_page import pairs_page
from inception_bench.report.training import training_page, training_rows, training_section, with_older_rows
from inception_bench.store.atomic import replace_text
from inception_bench.store.lock import alone_in
from inception_bench.train.job import Job
from inception_bench.train.trained import COLUMNS, CSV, Trained, read_training

ENVIRONMENT = "environment.json"


def prepare_folder(folder: Path) -> None:
    """Make sure that results can be written. Raises UsageError before anything is measured."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = error.strerror
        raise OptionError(
            lambda named: f"results folder {folder} cannot be written ({why}); give another with {named('results')}"
        ) from None


def write_results(folder: Path, records: Sequence[Record[Any]], others: Sequence[Record[Any]] = ()) -> Board:
    """Write the newest run's boards, complexity and claims; returns the board. Raises UsageError without records.

    The board is held against the other runs among ``records``, and against those that ``others`` are of.
    """
    if not records:
        raise UsageError(f"{folder} holds no readable record; run pytest suites/ --benchmark-only first")
    newest = newest_run(records)
    if newest[-1].run.profile == TRAIN:
        _write_trainings(folder, newest)
        return make_board(newest)
    board = make_board(newest, [*records, *others])
    _write_csv(folder / "leaderboard.csv", board_module.COLUMNS, [asdict(row) for row in board.rows])
    replace_text(folder / "leaderboard.md", board_page(board, newest[-1].run, training_section(newest)))
    trained = training_rows(newest, folder)
    if trained:
        _write_csv(folder / CSV, COLUMNS, trained)
    rows = [asdict(row) for row in complexity_rows(newest)]
    if rows:
        _write_csv(folder / "complexity.csv", complexity_module.COLUMNS, rows)
    _write_pairs(folder, newest)
    _write_claims(folder, newest)
    return board


def _write_pairs(folder: Path, records: Sequence[Record[Any]]) -> None:
    rows = pair_rows(records)
    if rows:
        _write_csv(folder / "modules.csv", pairs_module.COLUMNS, [asdict(row) for row in rows])
        replace_text(folder / "modules.md", pairs_page(rows, records[-1].run))


def _write_claims(folder: Path, records: Sequence[Record[Any]]) -> None:
    outcomes = outcomes_of(records)
    if outcomes:
        run = records[-1].run
        rows = [asdict(claim_row(outcome, run.run_id)) for outcome in outcomes]
        _write_csv(folder / "claims.csv", claims_module.COLUMNS, rows)
        replace_text(folder / "claims.md", claims_page(outcomes, run))


def write_trained(folder: Path, run: Run, job: Job, trained: Trained) -> None:
    """Keep the record of a training by the command ``train``, and show it beside the folder's other trainings."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        keep_trained(folder, run, job, trained)
        write_environment(folder, run.to_json())
        _write_trainings(folder, newest_run(Journal(folder / FILE).read()[0]))


def _write_trainings(folder: Path, records: Sequence[Record[Any]]) -> None:
    rows = with_older_rows(training_rows(records, folder), read_training(folder / CSV))
    _write_csv(folder / CSV, COLUMNS, rows)
    replace_text(folder / "training.md", training_page(rows, records[-1].run))


def write_environment(folder: Path, facts: dict[str, Any]) -> None:
    """Write ``environment.json``."""
    replace_text(folder / ENVIRONMENT, json.dumps(facts, indent=1) + "\n")


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pandas

    # Columns of objects: in a column of numbers, one unknown count (None) would turn all counts into fractions.
    frame = pandas.DataFrame(rows, columns=list(columns), dtype=object)
    replace_text(path, frame.to_csv(index=False))
