"""What came of a claim: the figures, the verdict, and whether it is the one expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inception_bench.claims.calculation import calculate
from inception_bench.claims.claim import Claim, show
from inception_bench.claims.verdict import REPRODUCED, decide_all, same
from inception_bench.records.claim_body import INCONCLUSIVE, MEASURED, NOT_RUN, NOT_TESTABLE, ClaimBody, Course
from inception_bench.records.statistics import Interval


@dataclass(frozen=True)
class Outcome:
    """One claim after a run. ``note`` says what the figures do not: why not run, or what two ways disagree on.

    ``pairs`` are the ids of the timed pairs that the figures come from, ``courses`` the raw courses of a
    training proxy, (treated, reference) a seed. ``device`` is the run's, on which times are taken.
    """

    claim: Claim
    verdict: str
    figures: tuple[Interval, ...] = ()
    note: str = ""
    pairs: tuple[str, ...] = ()
    courses: tuple[tuple[Course, Course], ...] = ()
    device: str = "cpu"

    @property
    def expected(self) -> str | None:
        """The ledger's verdict on this device, None where it has none.

        Where a claim that was expected not to be testable is tested after all, it is expected to hold.
        """
        tested = self.verdict not in (NOT_TESTABLE, NOT_RUN)
        return REPRODUCED if self.claim.expected == NOT_TESTABLE and tested else self.claim.expected_on(self.device)

    @property
    def reason(self) -> str:
        """Why that is expected on this device."""
        return self.claim.reason_on(self.device)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the expected one, or none was expected here, or the profile left the claim out.

        Where measuring failed it is False on every device, whatever was expected.
        """
        return self.verdict in (self.expected or self.verdict, NOT_RUN) and not self.is_broken

    @property
    def remark(self) -> str:
        """What a reader must know beside the verdict; empty where it is the expected one, or the claim was left out."""
        if self.expected is None and self.verdict != NOT_RUN:
            return f"no expectation on {self.device} yet"
        return "" if self.as_expected else f"expected {self.expected}"

    @property
    def is_first(self) -> bool:
        """Whether figures were measured on a device for which the ledger has no expectation yet."""
        return self.expected is None and bool(self.figures)

    @property
    def is_broken(self) -> bool:
        """Whether measuring failed: nothing is decided and there is no figure, whatever was expected."""
        return self.verdict == INCONCLUSIVE and not self.figures

    @property
    def measured_text(self) -> str:
        """The figures as a reader wants them, an interval in brackets where there is one."""
        if not self.figures:
            return ""
        return "; ".join(_shown(figure, unit) for figure, unit in zip(self.figures, self.claim.units, strict=True))

    @property
    def body(self) -> ClaimBody:
        """What a record keeps: figures, or else names of pairs, or courses. Verdicts are made again when it is read."""
        unmeasured = self.verdict in (NOT_TESTABLE, NOT_RUN) or self.is_broken
        return ClaimBody(
            self.claim.id,
            self.verdict if unmeasured else MEASURED,
            () if self.pairs or self.courses else self.figures,
            self.pairs,
            self.courses,
            self.note,
            self.device,
        )


def judge(claim: Claim, figures: Sequence[Interval], note: str = "") -> Outcome:
    """The verdict on measured figures.

    An exact claim is decided only where the package and the ledger's calculation by hand agree. Where they differ, one
    of them is wrong and the claim is inconclusive.
    """
    measured = tuple(figures)
    if claim.is_exact:
        by_hand = calculate(claim.by_hand)
        if not same([figure.value for figure in measured], by_hand):
            shown = "; ".join(show(value, unit) for value, unit in zip(by_hand, claim.units, strict=True))
            return Outcome(claim, INCONCLUSIVE, measured, f"by hand it is {shown}: one of the two is wrong")
    return Outcome(claim, decide_all(claim.bounds, measured), measured, note)


def judge_exact(claim: Claim, values: Sequence[float]) -> Outcome:
    """The verdict on figures without an interval."""
    return judge(claim, [Interval.exact(value) for value in values])


def not_testable(claim: Claim, why: str) -> Outcome:
    """A claim that needs what is not at hand; ``why`` names it."""
    return Outcome(claim, NOT_TESTABLE, note=why)


def broken(claim: Claim, why: str) -> Outcome:
    """A claim whose measuring failed: nothing is decided, and its test fails."""
    return Outcome(claim, INCONCLUSIVE, note=why)


def not_run(claim: Claim, why: str) -> Outcome:
    """A claim that this run left out."""
    return Outcome(claim, NOT_RUN, note=why)


def read_outcome(claim: Claim, body: ClaimBody) -> Outcome:
    """The outcome of a record without pairs and courses, judged again by the ledger as it is now."""
    if body.state != MEASURED:
        return Outcome(claim, body.state, note=body.note, device=body.run_device)
    return replace(judge(claim, body.figures, body.note), device=body.run_device)


def _shown(figure: Interval, unit: str) -> str:
    if figure.low == figure.high:
        return show(figure.value, unit)
    return f"{show(figure.value, unit)} ({show(figure.low, unit)} to {show(figure.high, unit)})"
