"""Trained networks and timed training steps of a run: rows of ``training.csv``, and a section of the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from inception_bench.measure.timed_step import TimedStep
from inception_bench.records.kinds import STEP, TRAINING
from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import Interval, median
from inception_bench.records.trainings import seen_from
from inception_bench.report.markdown import about, table
from inception_bench.report.text import duration, megabytes, milliseconds, share
from inception_bench.spec.case import Case
from inception_bench.train.trained import KEY, Trained

_TRAINED = ("network", "recipe", "scale", "data", "seed", "epochs", "time", "img/s", "top-1 (95 %)", "top-5")
_ON_TEST = "Accuracy is on the test images, which no training looked at."
_OVER_SEEDS = ("network", "recipe", "scale", "data", "seeds", "mean top-1", "standard deviation", "lowest", "highest")
_STEPS = ("network", "recipe", "precision", "batch", "scale", "step", "img/s", "peak RSS")


def training_rows(records: Sequence[Record[Any]], folder: Path) -> list[dict[str, Any]]:
    """A row of ``training.csv`` in ``folder`` for each training, the last of each that was made twice."""
    rows = [seen_from(folder, record.body).row() for record in TRAINING.among(records)]
    return list({_row_key(row): row for row in rows}.values())


def with_older_rows(rows: Sequence[dict[str, Any]], older: Sequence[Mapping[str, str]]) -> list[Mapping[str, Any]]:
    """``rows`` below those rows of an ``older`` file that have no record: the command once wrote no records."""
    known = {_row_key(row) for row in rows}
    return [*(row for row in older if _row_key(row) not in known), *rows]


def _row_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in KEY)


def training_section(records: Sequence[Record[Any]]) -> str:
    """The trained networks and the timed steps as Markdown; empty where there are none."""
    trained = [record.body for record in TRAINING.among(records)]
    steps = [_step_cells(record.own_case, record.body) for record in STEP.among(records)]
    parts = []
    if trained:
        parts += [
            "## Training",
            " ".join([_ON_TEST, *dict.fromkeys(filter(None, map(arithmetic_sentence, trained)))]),
            *_trained_tables([body.row() for body in trained]),
        ]
    if steps:
        parts += ["## A training step", "Forward, backward and update, median of the rounds.", table(_STEPS, steps)]
    return "\n\n".join(parts)


def training_page(rows: Iterable[Mapping[str, Any]], run: Run) -> str:
    """``training.md``: what a ``training.csv`` of several trainings says; ``run`` is of the newest."""
    numbers = ("epochs", "train_s", "images_s", "top1", "top1_ci95_low", "top1_ci95_high", "top5")
    read = [{**row, **{name: float(row[name]) for name in numbers}} for row in rows if row["top1"]]
    return "\n\n".join(["# Trained networks", about(run), _ON_TEST, *_trained_tables(read)]) + "\n"


def training_line(body: Trained) -> str:
    """``top-1 0.989 (0.971-0.996) on digits, 24 s``."""
    spent = "from the cache, " if body.cached else ""
    return f"top-1 {_share(body.row())} on {body.dataset}, {spent}trained in {duration(body.train_s)}"


def arithmetic_sentence(body: Trained) -> str:
    """``Trained on NVIDIA H100 in 32-true, TF32 off.``; empty for a record of old code, which lacks it."""
    if not body.precision:
        return ""
    tf32 = "" if body.tf32 is None else f", TF32 {'on' if body.tf32 else 'off'}"
    return f"Trained on {body.gpu or 'a CPU'} in {body.precision}{tf32}."


def step_line(case: Case, body: TimedStep) -> str:
    """``321 ms a step, 99.7 images a second``."""
    seconds = median(body.seconds)
    batch_size = case.runtime.batch_size
    return f"{milliseconds(seconds)} a step of {batch_size}, {batch_size / seconds:.3g} images a second"


def _trained_tables(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every training, and where a network was trained from several seeds, their mean and spread."""
    ordered = sorted(rows, key=_trained_as)
    seeds = [list(group) for _, group in groupby(ordered, key=_trained_as)]
    over = [_seed_cells(group) for group in seeds if len(group) > 1]
    tables = [table(_TRAINED, [_trained_cells(row) for row in rows])]
    return [*tables, table(_OVER_SEEDS, over)] if over else tables


def _trained_as(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("dataset", "recipe", "scale", "model"))


def _seed_cells(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    first, top1 = rows[0], [row["top1"] for row in rows]
    figures = (statistics.mean(top1), statistics.stdev(top1), min(top1), max(top1))
    return [
        *(first[name] for name in ("model", "recipe", "scale", "dataset")),
        str(len(top1)),
        *(f"{figure:.4f}" for figure in figures),
    ]


def _trained_cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["model"],
        row["recipe"],
        row["scale"],
        row["dataset"],
        str(row["seed"]),
        f"{row['epochs']:g}",
        duration(row["train_s"]),
        f"{row['images_s']:.3g}",
        _share(row),
        f"{row['top5']:.3f}",
    ]


def _step_cells(case: Case, body: TimedStep) -> list[str]:
    seconds, recipe = median(body.seconds), case.network.trained_by
    return [
        case.network.address,
        recipe[0] if recipe else "",
        case.runtime.precision,
        str(case.runtime.batch_size),
        f"w{case.network.width_mult:g}-{case.network.input_size}px",
        milliseconds(seconds),
        f"{case.runtime.batch_size / seconds:.3g}",
        megabytes(body.peak_rss_bytes if body.peak_was_reset else None),
    ]


def _share(row: Mapping[str, Any]) -> str:
    return share(Interval(row["top1"], row["top1_ci95_low"], row["top1_ci95_high"]))
