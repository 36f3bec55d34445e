"""Trained networks and timed training steps of a run: rows of ``training.csv``, and a section of the page."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from inception_bench.records.record import Record, Run
from inception_bench.records.statistics import Interval, median
from inception_bench.report.markdown import about, table
from inception_bench.report.text import duration, megabytes, milliseconds, share
from inception_bench.spec.case import Case
from inception_bench.train.trained import COLUMNS

_TRAINED = ("network", "recipe", "scale", "data", "seed", "epochs", "time", "img/s", "top-1 (95 %)", "top-5")
_ON_TEST = "Accuracy is on the test images, which no training looked at."
_OVER_SEEDS = ("network", "recipe", "scale", "data", "seeds", "mean top-1", "standard deviation", "lowest", "highest")
_STEPS = ("network", "recipe", "precision", "batch", "scale", "step", "img/s", "peak RSS")


def training_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """A row of ``training.csv`` for each training; the user's home folder is written ``~``."""
    rows = [{name: record.body[name] for name in COLUMNS} for record in records if record.kind == "training"]
    return [{**row, "checkpoint": _from_home(row["checkpoint"])} for row in rows]


def training_section(records: Sequence[Record]) -> str:
    """The trained networks and the timed steps as Markdown; empty where there are none."""
    trained = [record.body for record in records if record.kind == "training"]
    steps = [_step_cells(Case.from_json(record.case), record.body) for record in records if record.kind == "step"]
    parts = []
    if trained:
        parts += [
            "## Training",
            " ".join([_ON_TEST, *dict.fromkeys(filter(None, map(arithmetic_sentence, trained)))]),
            *_trained_tables(trained),
        ]
    if steps:
        parts += ["## A training step", "Forward, backward and update, median of the rounds.", table(_STEPS, steps)]
    return "\n\n".join(parts)


def training_page(rows: Iterable[Mapping[str, str]], run: Run) -> str:
    """``training.md``: what a ``training.csv`` of several trainings says; ``run`` is of the newest."""
    numbers = ("epochs", "train_s", "images_s", "top1", "top1_ci95_low", "top1_ci95_high", "top5")
    read = [{**row, **{name: float(row[name]) for name in numbers}} for row in rows if row["top1"]]
    return "\n\n".join(["# Trained networks", about(run), _ON_TEST, *_trained_tables(read)]) + "\n"


def training_line(body: dict[str, Any]) -> str:
    """``top-1 0.989 (0.971-0.996) on digits, 24 s``."""
    spent = "from the cache, " if body["cached"] else ""
    return f"top-1 {_share(body)} on {body['dataset']}, {spent}trained in {duration(body['train_s'])}"


def arithmetic_sentence(body: Mapping[str, Any]) -> str:
    """``Trained on NVIDIA H100 in 32-true, TF32 off.``; empty for a record that does not tell, of old code."""
    if "tf32" not in body:
        return ""
    tf32 = "" if body["tf32"] is None else f", TF32 {'on' if body['tf32'] else 'off'}"
    return f"Trained on {body['gpu'] or 'a CPU'} in {body['precision']}{tf32}."


def step_line(case: Case, body: dict[str, Any]) -> str:
    """``321 ms a step, 99.7 images a second``."""
    seconds = median(body["seconds"])
    return f"{milliseconds(seconds)} a step of {case.batch_size}, {case.batch_size / seconds:.3g} images a second"


def _trained_tables(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every training, and where a network was trained from several seeds, their mean and spread."""
    ordered = sorted(bodies, key=_trained_as)
    seeds = [list(group) for _, group in groupby(ordered, key=_trained_as)]
    over = [_seed_cells(group) for group in seeds if len(group) > 1]
    tables = [table(_TRAINED, [_trained_cells(body) for body in bodies])]
    return [*tables, table(_OVER_SEEDS, over)] if over else tables


def _trained_as(body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(body[name] for name in ("dataset", "recipe", "scale", "model"))


def _seed_cells(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    first, top1 = bodies[0], [body["top1"] for body in bodies]
    figures = (statistics.mean(top1), statistics.stdev(top1), min(top1), max(top1))
    return [
        *(first[name] for name in ("model", "recipe", "scale", "dataset")),
        str(len(top1)),
        *(f"{figure:.4f}" for figure in figures),
    ]


def _trained_cells(body: Mapping[str, Any]) -> list[str]:
    return [
        body["model"],
        body["recipe"],
        body["scale"],
        body["dataset"],
        str(body["seed"]),
        f"{body['epochs']:g}",
        duration(body["train_s"]),
        f"{body['images_s']:.3g}",
        _share(body),
        f"{body['top5']:.3f}",
    ]


def _step_cells(case: Case, body: dict[str, Any]) -> list[str]:
    seconds, recipe = median(body["seconds"]), case.trained_by
    return [
        case.address,
        recipe[0] if recipe else "",
        case.precision,
        str(case.batch_size),
        f"w{case.width_mult:g}-{case.input_size}px",
        milliseconds(seconds),
        f"{case.batch_size / seconds:.3g}",
        megabytes(body["peak_rss_bytes"] if body["peak_was_reset"] else None),
    ]


def _share(body: Mapping[str, Any]) -> str:
    return share(Interval(body["top1"], body["top1_ci95_low"], body["top1_ci95_high"]))


def _from_home(path: str) -> str:
    home = str(Path.home()) + os.sep
    return "~" + os.sep + path.removeprefix(home) if path.startswith(home) else path
