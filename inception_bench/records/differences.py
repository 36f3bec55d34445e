"""The exact facts of what was measured: those that must be equal in two runs, on whatever machines they ran.

Weights are exact facts, except where a run trained the network itself: trained weights follow from the code, and the
code is what may change between the runs. After such a training everything that depends on the values of the weights is
another random draw: the parity error, and the limit that was measured for it. So these two are not compared (each run
still keeps its own limit), and top-1 is worse only where its whole 95 % interval lies below the baseline's. With the
same weights, the answers are the network's own, and top-1 must lie within the baseline's interval. All other facts are
exact in both cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from inception_bench.backends.base import Attestation
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.measurement import ArtifactFacts, Measurement
from inception_bench.measure.parity import Parity
from inception_bench.models.counted import Counted
from inception_bench.records.claim_body import INCONCLUSIVE, ClaimBody
from inception_bench.records.duet_body import SideFacts, SideParity
from inception_bench.records.fact import CHANGE, IMPROVEMENT, REGRESSION, Fact
from inception_bench.records.record import Record
from inception_bench.store.known import read_known
from inception_bench.train.accuracy import Accuracy
from inception_bench.train.trained import Trained

# As a share of the size. A TorchScript archive holds file names and line numbers of its source, so that a new comment
# changes its size by some bytes.
ARTIFACT_SLACK = 0.001
# Another order of summation changes a parity error by a small factor; ten times the error is other arithmetic.
PARITY_FACTOR = 10.0
# How far a fault's effect may differ, as a share. On one machine it was the same to the last bit in all versions of the
# code; other machines round differently.
FUNCTION_SLACK = 0.01
# Sums of the same numbers in another order differ in the last bits.
SUM_ERROR = 1e-9
# What a session attests. SAME: another value is another configuration. LESS: a larger value is worse. TOLD: a change
# is reported and not judged.
SAME = ("engine", "device", "precision", "threads", "tf32")
LESS = ("batch_norms_left", "graph_breaks", "nodes_elsewhere")
TOLD = ("engine_version", "note")


class _Costs(Protocol):
    @property
    def params(self) -> int | None: ...
    @property
    def macs(self) -> int | None: ...


class _Ended(Protocol):
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Held:
    """The exact facts of one cell: of a stored cell, or of one side of a duet.

    A side of a duet keeps only the error and the limit of its parity.
    """

    outcome: str
    reason: str
    weights: str
    artifact: ArtifactFacts | None
    attest: Attestation | None
    parity: Parity | SideParity | None
    partner_parity: Parity | None = None
    accuracy: Counts | None = None
    weights_why: str = ""

    @classmethod
    def of_cell(cls, body: Measurement) -> Held:
        return read_known(cls, vars(body))

    @classmethod
    def of_side(cls, facts: SideFacts) -> Held:
        """The exact facts of one side of a duet; those of stages that it did not reach are empty."""
        return cls(
            facts.outcome or "failed",
            facts.reason or "",
            facts.weights or "",
            facts.artifact,
            facts.attest,
            facts.parity,
            weights_why=facts.weights_why or "",
        )


def cell_facts(before: Record[Measurement], after: Record[Measurement]) -> tuple[Fact, ...]:
    """Every exact fact in which two records of one cell, or of one pair, differ."""
    both = Held.of_cell(before.body), Held.of_cell(after.body)
    return held_facts(*both, network_facts(before, after), trained=after.own_case.network.trained_by is not None)


def side_facts(before: SideFacts, after: SideFacts) -> tuple[Fact, ...]:
    """Every exact fact in which the two sides of a duet differ."""
    return held_facts(Held.of_side(before), Held.of_side(after), network_facts(before, after), trained=False)


def held_facts(before: Held, after: Held, costs: Iterable[Fact], *, trained: bool) -> tuple[Fact, ...]:
    """The facts in which two runs of a cell differ, ``costs`` among them; ``trained``: the runs trained it."""
    anew = trained and before.weights != after.weights
    facts = [*_outcome(before, after), *costs, *_weights(before, after, anew)]
    facts += [*_artifact(before.artifact, after.artifact), *_attested(before.attest, after.attest)]
    if not anew:
        for name in ("parity", "partner_parity"):
            old, new = getattr(before, name), getattr(after, name)
            facts += [*_parity(name, old, new), *_function(old, new)]
    old_answers, new_answers = _cell_answers(before.accuracy), _cell_answers(after.accuracy)
    # A cell's partner is the same network on eager, so that its parity may repeat a fact: each fact is kept once.
    return (*dict.fromkeys(facts), *_accuracy(old_answers, new_answers, anew))


def training_facts(before: Record[Trained], after: Record[Trained]) -> tuple[Fact, ...]:
    """Every exact fact in which two trainings of one network by one recipe and seed differ."""
    old, new = _training_answers(before.body), _training_answers(after.body)
    anew = before.body.digest != after.body.digest
    return (*_outcome(before.body, after.body), *network_facts(before, after), *_accuracy(old, new, anew))


def counting_facts(before: Record[Counted], after: Record[Counted]) -> Iterator[Fact]:
    """The costs by the table, and those by each public counter; None stands for a counter that was not installed."""
    yield from network_facts(before, after)
    for name, old in vars(before.body).items():
        new = getattr(after.body, name)
        if isinstance(old, int) and new is not None and old != new:
            yield Fact(name, old, new, REGRESSION, "counted otherwise")


def claim_facts(before: Record[ClaimBody], after: Record[ClaimBody]) -> Iterator[Fact]:
    """The state, and the figures without an interval, which are arithmetic over tables.

    Figures with an interval, and verdicts, are judged by the ledger of claims.
    """
    old, new = before.body.state, after.body.state
    if old != new:
        yield Fact("state", old, new, REGRESSION if new == INCONCLUSIVE else IMPROVEMENT, after.body.note)
        return
    was, now = before.body.exact_figures, after.body.exact_figures
    if len(was) != len(now) or not all(map(_nearly_equal, was, now)):
        yield Fact("figures", _listed(was), _listed(now), REGRESSION, "arithmetic came out otherwise")


def network_facts(before: _Costs, after: _Costs) -> Iterator[Fact]:
    """Params and MACs by the table."""
    for name in ("params", "macs"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Fact(name, old, new, REGRESSION, "another network")


@dataclass(frozen=True)
class _Answers:
    """How often a network's answers were right on the images of ``dataset``."""

    dataset: str
    accuracy: Accuracy


def _cell_answers(counts: Counts | None) -> _Answers | None:
    return None if counts is None else _Answers(counts.dataset, counts.accuracy())


def _training_answers(body: Trained) -> _Answers | None:
    shares = (body.top1, body.top1_ci95_low, body.top1_ci95_high, body.top5)
    top1, low, high, top5 = shares
    if top1 is None or low is None or high is None or top5 is None:  # the training diverged
        return None
    return _Answers(body.dataset, Accuracy(top1, low, high, top5, images=body.test_images))


def _outcome(before: _Ended, after: _Ended) -> Iterator[Fact]:
    old, new = before.outcome, after.outcome
    if old == new:
        return
    rating = REGRESSION if old == "ok" else IMPROVEMENT if new == "ok" else CHANGE
    yield Fact("outcome", old, new, rating, after.reason if new != "ok" else "")


def _weights(before: Held, after: Held, anew: bool) -> Iterator[Fact]:
    """The weights that were loaded. A cell without an artifact loaded none, and only names what was asked for."""
    if before.artifact is None or after.artifact is None:
        return
    old, new = before.weights, after.weights
    if anew:
        yield Fact("weights", old, new, CHANGE, "trained anew")
    elif old != new:
        yield Fact("weights", old, new, REGRESSION, after.weights_why or "other weights")


def _artifact(before: ArtifactFacts | None, after: ArtifactFacts | None) -> Iterator[Fact]:
    if before is None or after is None:
        return
    old, new = before.size_bytes, after.size_bytes
    if old == new:
        return
    if abs(new - old) <= ARTIFACT_SLACK * old:
        yield Fact("artifact_bytes", old, new, CHANGE, f"within {ARTIFACT_SLACK:.1%}")
    else:
        yield Fact("artifact_bytes", old, new, REGRESSION if new > old else IMPROVEMENT, f"{new / old - 1:+.1%}")


def _attested(before: Attestation | None, after: Attestation | None) -> Iterator[Fact]:
    if before is None or after is None:
        return
    for name in (*SAME, *LESS, *TOLD):
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        rating = CHANGE
        if name in SAME:
            rating = REGRESSION
        elif name in LESS and old is not None and new is not None:
            rating = REGRESSION if new > old else IMPROVEMENT
        yield Fact(name, old, new, rating, "attested")


def _parity(name: str, before: Parity | SideParity | None, after: Parity | SideParity | None) -> Iterator[Fact]:
    """A limit that was loosened, or an error that grew tenfold. An error over its limit is a fact of the outcome."""
    if before is None or after is None:
        return
    if after.limit > before.limit:
        yield Fact(f"{name}_limit", before.limit, after.limit, REGRESSION, "a looser limit")
    old, new = before.error, after.error
    # An infinite error (None in what a side of a duet keeps) is over every limit, which is an outcome.
    if old is not None and new is not None and new < math.inf and new > PARITY_FACTOR * old:
        yield Fact(f"{name}_error", old, new, REGRESSION, f"over {PARITY_FACTOR:g} times")


def _function(before: Parity | SideParity | None, after: Parity | SideParity | None) -> Iterator[Fact]:
    """How much each known fault changes the network's answers in float64: with equal weights, its fingerprint.

    No other fact tells a network whose branches changed places: it has the same params, MACs and bytes, and agrees with
    its own reference. Networks that were compared row by row are left out, as their units depend on rounding.
    """
    if not (isinstance(before, Parity) and isinstance(after, Parity) and before.by == after.by == "logits"):
        return
    old, new = before.mutations, after.mutations
    for fault in sorted({*old, *new}):
        was, now = old.get(fault), new.get(fault)
        if was is None or now is None or not math.isclose(was, now, rel_tol=FUNCTION_SLACK):
            yield Fact(f"effect of another {fault}", was, now, REGRESSION, "another network")
            return  # report only the first: one other kernel moves all of them


def _accuracy(before: _Answers | None, after: _Answers | None, anew: bool) -> Iterator[Fact]:
    """A top-1 outside the baseline's 95 % interval. On other images, the accuracies cannot be compared."""
    if before is None or after is None:
        if before is not after:
            rating = REGRESSION if after is None else CHANGE
            top1 = [answers and answers.accuracy.top1 for answers in (before, after)]
            yield Fact("top1", top1[0], top1[1], rating, "only one run has an accuracy")
        return
    was, now = before.accuracy, after.accuracy
    for name, old, new in (("dataset", before.dataset, after.dataset), ("images", was.images, now.images)):
        if old != new:
            yield Fact(name, old, new, REGRESSION, "accuracies not comparable")
            return
    low, high = (now.top1_ci95_low, now.top1_ci95_high) if anew else (now.top1, now.top1)
    if high < was.top1_ci95_low or low > was.top1_ci95_high:
        rating = REGRESSION if now.top1 < was.top1 else IMPROVEMENT
        own = f"{low:.4f}-{high:.4f} " if anew else ""
        yield Fact("top1", was.top1, now.top1, rating, f"{own}outside {was.top1_ci95_low:.4f}-{was.top1_ci95_high:.4f}")


def _nearly_equal(before: float, after: float) -> bool:
    return math.isclose(before, after, rel_tol=SUM_ERROR)


def _listed(figures: Iterable[float]) -> str:
    return "; ".join(f"{figure:.10g}" for figure in figures)
