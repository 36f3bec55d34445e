"""The table of scenarios: what is tried on the gate, how often, and how often it must answer rightly."""

from __future__ import annotations

from dataclasses import dataclass

# What a scenario counts: false alarms where the sides are equal, or slow-downs that were found where b is slower.
FALSE_ALARM, FOUND = "false alarms", "found"
# Before all trials are done, a rate counts as missed only if the trials so far are this improbable for a right rate.
# The probability is small because the rate is looked at again and again.
SURE = 0.001


@dataclass(frozen=True)
class Scenario:
    """One kind of trial. ``bound`` is the highest rate of false alarms, or the lowest rate of slow-downs found, 0 to 1.

    ``loaded``: another program burns a core in bursts. ``busy_share`` is the share of the time that side b burns while
    it is timed. ``one_thread``: side a has a thread for each core, and side b only one.
    """

    name: str
    counts: str
    trials: int
    bound: float
    loaded: bool = False
    busy_share: float = 0.0
    one_thread: bool = False

    def reached(self, hits: int, trials: int) -> bool:
        """Whether the measured rate is on the right side of the bound."""
        return hits <= self.bound * trials if self.counts == FALSE_ALARM else hits >= self.bound * trials

    def missed(self, hits: int, trials: int) -> bool:
        """Whether a count this bad, or worse, has a probability under SURE if the true rate is just at the bound."""
        from scipy.stats import binom

        if self.counts == FALSE_ALARM:
            return bool(binom.sf(hits - 1, trials, self.bound) < SURE)
        return bool(binom.cdf(hits, trials, self.bound) < SURE)


SCENARIOS = (
    Scenario("A/A, quiet", FALSE_ALARM, 200, 1 / 200),
    Scenario("A/A, loaded", FALSE_ALARM, 200, 1 / 200, loaded=True),
    Scenario("1 % busy wait, quiet", FOUND, 100, 0.90, busy_share=0.01),
    Scenario("3 % busy wait, quiet", FOUND, 100, 0.99, busy_share=0.03),
    Scenario("3 % busy wait, loaded", FOUND, 100, 0.95, loaded=True, busy_share=0.03),
    Scenario("one thread for all, quiet", FOUND, 20, 0.95, one_thread=True),
)
