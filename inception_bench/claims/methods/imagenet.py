"""Error rates on ImageNet: which cell of a run can decide a claim, and what its right answers say.

The images and the trained weights are not part of this package. A user who has them may name them; without them the
claim is not testable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_bench.claims.claim import Claim
from inception_bench.claims.methods.base import CALCULATION, Bench, FiguresStored
from inception_bench.claims.outcome import Outcome, broken, judge, not_testable
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.cell import Cell
from inception_bench.measure.guesses import Parts
from inception_bench.measure.stages import CellStopped
from inception_bench.models.public import find_table
from inception_bench.records.statistics import Interval
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Profile
from inception_bench.train.accuracy import wilson

MEASURE = "imagenet_error"
FOLDER = "imagefolder:"
CLASSES = 1000


@dataclass(frozen=True)
class ImageNet(FiguresStored):
    """Ask the network that the user gave about the images that the user gave; without them, say what is missing."""

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """No profile leaves these out: without the images it takes no time to say so, and who gives them wants it."""
        return None

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """The time to say what is missing, as it nearly always is."""
        return {claim.id: CALCULATION}

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Count right answers where the run has all that is needed."""
        lacking = missing(claim, bench.cases)
        if lacking is not None:
            return not_testable(claim, lacking)
        try:
            return judge_error(claim, bench.answers(deciding_case(bench.cases)))
        except CellStopped as stopped:
            return broken(claim, f"{stopped.outcome} in stage {stopped.stage!r}: {stopped}")


IMAGENET = ImageNet()


def missing(claim: Claim, cases: Sequence[Case]) -> str | None:
    """What a run over ``cases`` lacks to decide ``claim``; None where it has all."""
    if claim.measure != MEASURE:
        return claim.reason  # more than one network on one crop of the validation set
    given = [case for case in cases if case.network.data.startswith(FOLDER)]
    if not given:
        return claim.reason
    case, model = given[0], claim.arguments["model"]
    table = find_table(case.network.address)
    if case.network.address != model:
        return f"needs the weights of {model}; those of {case.network.address} were given"
    if case.network.num_classes != CLASSES:
        return f"needs the {CLASSES} classes of ILSVRC-2012; {case.network.data} has {case.network.num_classes}"
    if (case.network.input_size, case.network.width_mult) != (table.input_size, 1.0):
        return f"needs {model} at {table.input_size} pixels and width 1"
    return None


def deciding_case(cases: Sequence[Case]) -> Case:
    """The cell whose answers count: the given network in eager and fp32, whatever runtimes the run has."""
    case = next(case for case in cases if case.network.data.startswith(FOLDER))
    return case.reference()


def answered(cell: Cell) -> Counts:
    """How a cell answers the test images of its data; the cell is checked, but not timed. Raises CellStopped."""
    cell.prepare()
    if cell.measurement.accuracy is None:
        raise ValueError(f"{cell.case.id} names no data to measure accuracy on")
    return cell.measurement.accuracy


def judge_error(claim: Claim, counts: Counts) -> Outcome:
    """The verdict on error rates, each with its Wilson interval over the images of the test part."""
    right = {"top1": counts.right, "top5": counts.among_five}
    figures = [_error(right[name], counts.images) for name in claim.arguments["errors"]]
    return judge(claim, figures, f"single crop of {counts.images:,} images of {counts.dataset}")


def _error(right: int, images: int) -> Interval:
    low, high = wilson(right, images)
    return Interval(1 - right / images, 1 - high, 1 - low)
