"""What of a cell is exact: the same on every machine, or wrong. No statistics here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inception_bench.records.record import Record

REGRESSION, IMPROVEMENT, CHANGE = "regression", "improvement", "change"

# An archive of TorchScript keeps file names and line numbers of its source: a comment moves them by some bytes.
ARTIFACT_SLACK = 0.001
# Another order of summation moves a parity error by a small factor; ten times is another arithmetic.
PARITY_FACTOR = 10.0
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
    """Every exact fact in which two records of one cell differ."""
    found = [*_outcome(before.body, after.body), *_network(before, after)]
    found += [*_weights(before.body, after.body), *_artifact(before.body, after.body)]
    found += [*_attested(before.body.get("attest"), after.body.get("attest"))]
    found += [*_parity(before.body.get("parity"), after.body.get("parity"))]
    return (*found, *_accuracy(before.body.get("accuracy"), after.body.get("accuracy")))


def _network(before: Record, after: Record) -> Iterator[Fact]:
    for name in ("params", "macs"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Fact(name, old, new, REGRESSION, "another network")


def _outcome(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Fact]:
    old, new = before["outcome"], after["outcome"]
    if old == new:
        return
    kind = REGRESSION if old == "ok" else IMPROVEMENT if new == "ok" else CHANGE
    yield Fact("outcome", old, new, kind, after["reason"] if new != "ok" else "")


def _weights(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Fact]:
    if before["weights"] != after["weights"]:
        yield Fact("weights", before["weights"], after["weights"], REGRESSION, "other weights")


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


def _parity(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Fact]:
    """A limit that was loosened, or an error that grew tenfold; over its limit is an outcome."""
    if before is None or after is None:
        return
    if after["limit"] > before["limit"]:
        yield Fact("parity_limit", before["limit"], after["limit"], REGRESSION, "a looser limit")
    old, new = before["error"], after["error"]
    if old is not None and new is not None and new > PARITY_FACTOR * old:
        yield Fact("parity_error", old, new, REGRESSION, f"over {PARITY_FACTOR:g} times")


def _accuracy(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Fact]:
    """A top-1 under the baseline's interval; another data set is another question."""
    if before is None and after is None:
        return
    if before is None or after is None:
        kind = REGRESSION if after is None else CHANGE
        yield Fact("top1", before and before["top1"], after and after["top1"], kind, "only one run has an accuracy")
        return
    if before.get("dataset") != after.get("dataset"):
        yield Fact("dataset", before.get("dataset"), after.get("dataset"), REGRESSION, "accuracies not comparable")
        return
    old, new = before["top1"], after["top1"]
    low, high = before["top1_ci95_low"], before["top1_ci95_high"]
    if not low <= new <= high:
        kind = REGRESSION if new < low else IMPROVEMENT
        yield Fact("top1", old, new, kind, f"outside {low:.4f}-{high:.4f}")


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
