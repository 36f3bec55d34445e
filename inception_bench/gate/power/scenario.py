"""What a proof of the gate's power tries, and what must come of it: a table."""

from __future__ import annotations

from dataclasses import dataclass

# A false alarm: at most 1 in 200. Found: at least so many in 100.
FALSE_ALARM, FOUND = "false alarms", "found"
# A rate is given up before all trials are done only where it is this unlikely to come right: one looks many times.
SURE = 0.001


@dataclass(frozen=True)
class Scenario:
    """One kind of trial. ``bound`` is the highest rate of false alarms, or the lowest of finds.

    ``busy_share`` is burnt by side b inside its clock; with ``one_thread`` side a has a thread for each core and b one.
    """

    name: str
    counts: str
    trials: int
    bound: float
    loaded: bool = False
    busy_share: float = 0.0
    one_thread: bool = False

    def reached(self, hits: int, trials: int) -> bool:
        """Whether the rate that was seen is on the right side."""
        return hits <= self.bound * trials if self.counts == FALSE_ALARM else hits >= self.bound * trials

    def missed(self, hits: int, trials: int) -> bool:
        """Whether so bad a count has a probability under SURE where the rate is just at the bound."""
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
