"""What every method of deciding a claim can do, and what it needs of the run in which it measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from inception_bench.claims.claim import Claim
from inception_bench.claims.outcome import Outcome, read_outcome
from inception_bench.measure.accuracy import Counts
from inception_bench.measure.guesses import Guess, Parts
from inception_bench.measure.measurement import PairMeasurement
from inception_bench.records.claim_body import ClaimBody, Course
from inception_bench.records.record import Record
from inception_bench.spec.case import Case
from inception_bench.spec.pair import Pair
from inception_bench.spec.profile import Profile
from inception_bench.train.job import Job

# What the record of a measured claim holds, from which its verdict is made again: the figures themselves, the names of
# timed pairs (which have records of their own), or the courses of trainings.
Stored = Literal["figures", "pairs", "courses"]

# A first guess for one calculation, or for saying why there is none.
CALCULATION = Guess(0.003)


class Bench(Protocol):
    """What a run offers to a method: it says what was asked for, and trains, times and asks networks.

    ``cases`` are the cells of the run, on whose runtimes, device and threads claims are measured too. ``timed`` is
    False where the user switched timing off.
    """

    @property
    def profile(self) -> Profile: ...

    @property
    def cases(self) -> Sequence[Case]: ...

    @property
    def timed(self) -> bool: ...

    def time_pair(self, pair: Pair) -> Record[PairMeasurement]:
        """The record of both networks timed beside each other; also one that failed has a record."""

    def train(self, job: Job, stage: str) -> Course:
        """How one training went; ``stage`` is its name in the progress line. Raises CallFailed."""

    def answers(self, case: Case) -> Counts:
        """How many images of its data the network of ``case`` names correctly. Raises CellStopped."""


class Method(Protocol):
    """One way to decide a claim."""

    @property
    def stores(self) -> Stored:
        """What the record of a claim holds that was measured in this way."""

    def left_out(self, claim: Claim, profile: Profile) -> str | None:
        """Why ``profile`` does not measure ``claim``, and which profile does; None where it does."""

    def expected_parts(self, claim: Claim, profile: Profile, cases: Sequence[Case]) -> Parts:
        """First guesses at how long ``measure`` takes in a run over ``cases``."""

    def measure(self, claim: Claim, bench: Bench) -> Outcome:
        """Measure now, and judge."""

    def judge(self, claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
        """Judge again, by the ledger as it is now, what a record's ``body`` holds.

        ``pairs`` are the records of the same run's timed pairs, by the pair's id.
        """


class FiguresStored:
    """What the methods share whose records hold the figures themselves."""

    @property
    def stores(self) -> Stored:
        return "figures"

    def judge(self, claim: Claim, body: ClaimBody, pairs: Mapping[str, Record[PairMeasurement]]) -> Outcome:
        """Judge the stored figures, or read why there are none."""
        return read_outcome(claim, body)
