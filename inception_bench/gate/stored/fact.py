"""The facts of a cell, a pair or a training that must be equal in both runs, on whatever machines.

Weights are exact too, but for those that a run trains itself: they follow from the code, which is what changes.
Where a network was trained anew, what depends on the values of its weights is another draw: the parity error, and the
limit that was measured for it. So they are not compared (each run still holds its own limit), and top-1 is worse only
where its whole interval lies under the baseline's. With the same weights the answers are the network's own, and top-1
must lie within the baseline's interval. All else is exact in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inception_bench.measure.accuracy import Counts
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.train.accuracy import Accuracy

REGRESSION, IMPROVEMENT, CHANGE = "regression", "improvement", "change"

# An archive of TorchScript keeps file names and line numbers of its source: a comment moves them by some bytes.
ARTIFACT_SLACK = 0.001
# Another order of summation moves a parity error by a small factor; ten times is another arithmetic.
PARITY_FACTOR = 10.0
# Between versions of the code on one machine it was the same to the last bit; other machines round otherwise.
FUNCTION_SLACK = 0.01
# What a session attests: of these another value is another configuration, of those more is worse.
SAME = ("engine", "device", "precision", "threads", "tf32")
LESS = ("batch_norms_left", "graph_breaks", "nodes_elsewhere")
TOLD = ("engine_version", "note")


@dataclass(frozen=True)
class Fact:
    """One figure or word that differs. ``kind`` is regression, improvement or change; ``why`` is the rule."""

    name: str
    before: Any
    after: Any
    kind: str
    why: str = ""

    @property
    def text(self) -> str:
        return f"{self.name} {_show(self.before)} -> {_show(self.after)}" + (f" ({self.why})" if self.why else "")


def exact_facts(before: Record, after: Record) -> tuple[Fact, ...]:
    """Every exact fact in which two records of one cell, or of a cell beside another, differ."""
    found = [*_outcome(before.body, after.body), *network_facts(before, after)]
    found += [*_weights(before, after), *_artifact(before.body, after.body)]
    found += [*_attested(before.body.get("attest"), after.body.get("attest"))]
    anew = _trained_anew(before, after)
    if not anew:
        for name in ("parity", "partner_parity"):
            old_parity, new_parity = before.body.get(name), after.body.get(name)
            found += [*_parity(name, old_parity, new_parity), *_function(old_parity, new_parity)]
    old, new = (_cell_accuracy(record) for record in (before, after))
    # A cell's partner is the same network on eager, and tells of it once more.
    return (*dict.fromkeys(found), *_accuracy(old, new, anew))


def training_facts(before: Record, after: Record) -> tuple[Fact, ...]:
    """Every exact fact in which two trainings of one network by one recipe and seed differ."""
    old, new = (_training_accuracy(record.body) for record in (before, after))
    anew = before.body["digest"] != after.body["digest"]
    return (*_outcome(before.body, after.body), *network_facts(before, after), *_accuracy(old, new, anew))


def network_facts(before: Record, after: Record) -> Iterator[Fact]:
    """Params and MACs by the table."""
    for name in ("params", "macs"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Fact(name, old, new, REGRESSION, "another network")


def _trained_anew(before: Record, after: Record) -> bool:
    """Whether the runs trained the cell's network each for itself, to other weights."""
    return Case.from_json(after.case).network.trained_by is not None and before.body["weights"] != after.body["weights"]


@dataclass(frozen=True)
class _Answers:
    """Whose answers to how many images of a set were how often right."""

    dataset: str
    accuracy: Accuracy


def _cell_accuracy(record: Record) -> _Answers | None:
    found = record.body.get("accuracy")
    return None if found is None else _Answers(found["dataset"], Counts(**found).accuracy())


def _training_accuracy(body: Mapping[str, Any]) -> _Answers | None:
    if body["top1"] is None:  # it diverged
        return None
    shares = {name: body[name] for name in ("top1", "top1_ci95_low", "top1_ci95_high", "top5")}
    return _Answers(body["dataset"], Accuracy(**shares, images=body["test_images"]))


def _outcome(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Fact]:
    old, new = before["outcome"], after["outcome"]
    if old == new:
        return
    kind = REGRESSION if old == "ok" else IMPROVEMENT if new == "ok" else CHANGE
    yield Fact("outcome", old, new, kind, after["reason"] if new != "ok" else "")


def _weights(before: Record, after: Record) -> Iterator[Fact]:
    """The weights that were loaded; a cell that came to no artifact names those that were asked for."""
    if before.body.get("artifact") is None or after.body.get("artifact") is None:
        return
    old, new = before.body["weights"], after.body["weights"]
    if _trained_anew(before, after):
        yield Fact("weights", old, new, CHANGE, "trained anew")
    elif old != new:
        yield Fact("weights", old, new, REGRESSION, after.body.get("weights_why") or "other weights")


def _artifact(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Fact]:
    if before.get("artifact") is None or after.get("artifact") is None:
        return
    old, new = before["artifact"]["size_bytes"], after["artifact"]["size_bytes"]
    if old == new:
        return
    if abs(new - old) <= ARTIFACT_SLACK * old:
        yield Fact("artifact_bytes", old, new, CHANGE, f"within {ARTIFACT_SLACK:.1%}")
    else:
        yield Fact("artifact_bytes", old, new, REGRESSION if new > old else IMPROVEMENT, f"{new / old - 1:+.1%}")


def _attested(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Fact]:
    if before is None or after is None:
        return
    for name in (*SAME, *LESS, *TOLD):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        kind = CHANGE
        if name in SAME:
            kind = REGRESSION
        elif name in LESS and old is not None and new is not None:
            kind = REGRESSION if new > old else IMPROVEMENT
        yield Fact(name, old, new, kind, "attested")


def _parity(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Fact]:
    """A limit that was loosened, or an error that grew tenfold; over its limit is an outcome."""
    if before is None or after is None:
        return
    if after["limit"] > before["limit"]:
        yield Fact(f"{name}_limit", before["limit"], after["limit"], REGRESSION, "a looser limit")
    old, new = before["error"], after["error"]
    if old is not None and new is not None and new > PARITY_FACTOR * old:
        yield Fact(f"{name}_error", old, new, REGRESSION, f"over {PARITY_FACTOR:g} times")


def _function(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Fact]:
    """What each known fault does to the network's own answers in float64: of equal weights, its fingerprint.

    A network whose branches changed places has the same params, MACs and bytes, and agrees with its own reference.
    End points that were compared row by row are in units that depend on rounding.
    """
    if before is None or after is None or {before.get("by"), after.get("by")} != {"logits"}:
        return
    old, new = before["mutations"], after["mutations"]
    for fault in sorted({*old, *new}):
        was, now = old.get(fault), new.get(fault)
        if was is None or now is None or not math.isclose(was, now, rel_tol=FUNCTION_SLACK):
            yield Fact(f"effect of another {fault}", was, now, REGRESSION, "another network")
            return  # report only the first: one other kernel moves all of them


def _accuracy(before: _Answers | None, after: _Answers | None, anew: bool) -> Iterator[Fact]:
    """A top-1 under the baseline's interval; another set of images is another question."""
    if before is None or after is None:
        if before is not after:
            kind = REGRESSION if after is None else CHANGE
            top1 = [answers and answers.accuracy.top1 for answers in (before, after)]
            yield Fact("top1", top1[0], top1[1], kind, "only one run has an accuracy")
        return
    was, now = before.accuracy, after.accuracy
    for name, old, new in (("dataset", before.dataset, after.dataset), ("images", was.images, now.images)):
        if old != new:
            yield Fact(name, old, new, REGRESSION, "accuracies not comparable")
            return
    low, high = (now.top1_ci95_low, now.top1_ci95_high) if anew else (now.top1, now.top1)
    if high < was.top1_ci95_low or low > was.top1_ci95_high:
        kind = REGRESSION if now.top1 < was.top1 else IMPROVEMENT
        own = f"{low:.4f}-{high:.4f} " if anew else ""
        yield Fact("top1", was.top1, now.top1, kind, f"{own}outside {was.top1_ci95_low:.4f}-{was.top1_ci95_high:.4f}")


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
