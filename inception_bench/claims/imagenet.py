"""Error rates on ImageNet: which cell of a run can decide a claim, and what its right answers say."""

from __future__ import annotations

from collections.abc import Sequence

from inception_bench.claims.claim import Claim
from inception_bench.claims.outcome import Outcome, judge
from inception_bench.claims.verdict import Figure
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.cell import Cell
from inception_bench.models.public import find_table
from inception_bench.spec.case import Case
from inception_bench.train.accuracy import wilson

MEASURE = "imagenet_error"
FOLDER = "imagefolder:"
CLASSES = 1000


def missing(claim: Claim, cases: Sequence[Case]) -> str | None:
    """What a run over ``cases`` lacks to decide ``claim``; None where it has all."""
    if claim.measure != MEASURE:
        return claim.reason  # more than one network on one crop of the validation set
    given = [case for case in cases if case.network.data.startswith(FOLDER)]
    if not given:
        return claim.reason
    network, model = given[0].network, claim.arguments["model"]
    table = find_table(network.address)
    if network.address != model:
        return f"needs the weights of {model}; those of {network.address} were given"
    if network.num_classes != CLASSES:
        return f"needs the {CLASSES} classes of ILSVRC-2012; {network.data} has {network.num_classes}"
    if (network.input_size, network.width_mult) != (table.input_size, 1.0):
        return f"needs {model} at {table.input_size} pixels and width 1"
    return None


def deciding_case(cases: Sequence[Case]) -> Case:
    """The given network in the plainest form among the run's cells: eager and fp32, a batch of the run's first size."""
    return next(case for case in cases if case.network.data.startswith(FOLDER)).reference()


def answered(cell: Cell) -> Counts:
    """What a cell whose case names its data answers to the test images, checked but not timed. Raises CellStopped."""
    cell.prepare()
    if cell.measurement.accuracy is None:
        raise ValueError(f"{cell.case.id} names no data to measure accuracy on")
    return cell.measurement.accuracy


def judge_error(claim: Claim, counts: Counts) -> Outcome:
    """The verdict on error rates, each with its Wilson interval over the images of the test part."""
    right = {"top1": counts.right, "top5": counts.among_five}
    figures = [_error(right[name], counts.images) for name in claim.arguments["errors"]]
    return judge(claim, figures, f"single crop of {counts.images:,} images of {counts.dataset}")


def _error(right: int, images: int) -> Figure:
    low, high = wilson(right, images)
    return Figure(1 - right / images, 1 - high, 1 - low)
