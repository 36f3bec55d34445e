"""How often does the gate find a true slow-down, and how often does it raise a false alarm? Trials of both.

Each trial is a duet of one cell whose right answer is known; it is on the disk before the next begins.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from inception_bench.errors import OptionError, UsageError
from inception_bench.gate.duet.duet import Duet, DuetSettings
from inception_bench.gate.duet.order import measure_cell
from inception_bench.gate.duet.result import judgement_of
from inception_bench.gate.duet.side import Side, open_side
from inception_bench.gate.judgement import SLOWER, UNCLEAR
from inception_bench.gate.power.neighbour import neighbour
from inception_bench.gate.power.scenario import SCENARIOS, Scenario
from inception_bench.gate.trials import trials_to_go_on
from inception_bench.machine.environment import usable_cores
from inception_bench.records.duet_body import PowerBody
from inception_bench.records.journal import FILE, Journal
from inception_bench.records.kinds import POWER
from inception_bench.records.process_pair import ProcessPair, rounds_of
from inception_bench.records.record import Record, Run
from inception_bench.records.resume import SAME
from inception_bench.records.statistics import median
from inception_bench.spec.case import Case

# The rule of pytest-benchmark that is judged on the same rounds, for comparison.
RIVAL_RULE = "median:5%"


@dataclass(frozen=True)
class PowerOrder:
    """Which cells to try, for how many minutes, and in which folder. One trial may take ``budget_s`` seconds."""

    cases: tuple[Case, ...]
    folder: Path
    minutes: float = 10.0
    budget_s: float = 60.0


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``trials``, and the rate's exact 95 % interval, 0 to 1 (Clopper and Pearson, Biometrika 26, 1934)."""

    hits: int
    trials: int
    low: float
    high: float

    @classmethod
    def of(cls, hits: int, trials: int) -> Rate:
        from scipy.stats import binomtest

        if not trials:
            return cls(0, 0, 0.0, 1.0)
        interval = binomtest(hits, trials).proportion_ci(0.95, "exact")
        return cls(hits, trials, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class PowerRow:
    """The results of all trials of one scenario, on one cell or on all cells (``cell`` is then empty).

    ``gate`` is how often the gate said ``slower``. The rival is pytest-benchmark's rule on the same rounds:
    ``rival_apart`` compares side a's rounds of a trial's first half with side b's of the second half, as two runs one
    after the other would; ``rival_together`` compares all rounds of both. Seconds are of one trial, without building.
    """

    scenario: Scenario
    cell: str
    gate: Rate
    unclear: int
    rival_apart: Rate
    rival_together: Rate
    median_s: float | None
    longest_s: float | None

    @property
    def answer(self) -> str:
        """``reached`` where all trials are done and the rate is right, ``missed`` where it cannot be, else ``open``."""
        hits, trials = self.gate.hits, self.gate.trials
        if trials >= self.scenario.trials:
            return "reached" if self.scenario.reached(hits, trials) else "missed"
        return "missed" if self.scenario.missed(hits, trials) else "open"


def run_power(order: PowerOrder, watch: Callable[[str], None]) -> list[Record[PowerBody]]:
    """Add trials to those in the folder until all are done or the minutes are over, but at least one; all records.

    Raises UsageError where a cell cannot be measured or the folder's trials are of another machine or other sources.
    """
    if not (order.minutes > 0 and order.budget_s > 0):
        raise OptionError(
            lambda named: (
                f"{named('minutes')} {order.minutes:g} {named('budget')} {order.budget_s:g}: give times above 0"
            )
        )
    order.folder.mkdir(parents=True, exist_ok=True)
    run, journal = Run.begin("gate-power"), Journal(order.folder / FILE)
    records = trials_to_go_on(order.folder, POWER, run, SAME)
    sides = {name: open_side(name, None) for name in ("a", "b")}
    until = time.monotonic() + 60 * order.minutes
    try:
        for scenario, case in _left(order, records):
            records.append(_trial(scenario, Trial(case, sides, order.budget_s, f"{run.run_id} {len(records)}"), run))
            journal.append(records[-1])
            watch(f"{len(records)}: {scenario.name}, {case.id}: {judgement_of(records[-1].body).verdict}")
            if time.monotonic() > until:
                break
    finally:
        for side in sides.values():
            side.close()
    return records


@dataclass(frozen=True)
class Trial:
    """A cell to try, the sides that measure it, the seconds it may take and the seed of its random orders."""

    case: Case
    sides: dict[str, Side]
    budget_s: float
    seed: str


def _trial(scenario: Scenario, trial: Trial, run: Run) -> Record[PowerBody]:
    settings = DuetSettings(trial.budget_s, 0.01, 1, trial.seed, scenario.busy_share)
    case = trial.case.with_runtime(threads=usable_cores()) if scenario.one_thread else trial.case
    cases = {"b": case.with_runtime(threads=1)} if scenario.one_thread else {}
    with neighbour(trial.seed) if scenario.loaded else nullcontext():
        made = measure_cell(Duet(case, trial.sides, settings, lambda line: None, cases), run)
    if made.body.outcome != "ok":
        raise UsageError(f"{trial.case.id} cannot be tried: side {made.body.side}: {made.body.reason}")
    return Record(POWER.name, run, made.case, made.params, made.macs, PowerBody.of(scenario.name, made.body))


def _left(order: PowerOrder, records: Sequence[Record[PowerBody]]) -> Iterator[tuple[Scenario, Case]]:
    """The trials that are left. The scenario with the smallest share done comes first; its cells take turns."""
    done = Counter(record.body.scenario for record in records)
    while True:
        scenario = min(SCENARIOS, key=lambda each: done[each.name] / each.trials)
        if done[scenario.name] >= scenario.trials:
            return
        case = order.cases[done[scenario.name] % len(order.cases)]
        if not (scenario.one_thread and usable_cores() == 1):
            yield scenario, case
        done[scenario.name] += 1


def power_rows(records: Sequence[Record[PowerBody]]) -> list[PowerRow]:
    """A row for each scenario over all cells, and below it a row for each cell. Judged again from the raw rounds."""
    rows = []
    for scenario in SCENARIOS:
        own = [record for record in records if record.body.scenario == scenario.name]
        cells = list(dict.fromkeys(record.own_case.id for record in own))
        rows.append(_row(scenario, "", own))
        rows += [
            _row(scenario, cell, [record for record in own if record.own_case.id == cell])
            for cell in (cells if len(cells) > 1 else [])
        ]
    return rows


def _row(scenario: Scenario, cell: str, records: Sequence[Record[PowerBody]]) -> PowerRow:
    verdicts = [judgement_of(record.body).verdict for record in records]
    pairs = [record.body.pairs for record in records]
    seconds = [record.body.seconds for record in records]
    count = len(records)
    return PowerRow(
        scenario, cell,
        Rate.of(sum(verdict == SLOWER for verdict in verdicts), count),
        sum(verdict == UNCLEAR for verdict in verdicts),
        Rate.of(sum(rival_alarms(*_apart(each)) for each in pairs), count),
        Rate.of(sum(rival_alarms(rounds_of(each, "a"), rounds_of(each, "b")) for each in pairs), count),
        median(seconds) if seconds else None,
        max(seconds, default=None),
    )  # fmt: skip


def rival_alarms(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether ``--benchmark-compare-fail=median:5%`` fails on two runs' rounds, by pytest-benchmark's own code."""
    from pytest_benchmark.stats import Stats
    from pytest_benchmark.utils import parse_compare_fail

    compared, current = Stats(), Stats()
    for stats, values in ((compared, before), (current, after)):
        for value in values:
            stats.update(value)
    figures = [{"median": stats.median} for stats in (current, compared)]
    return bool(parse_compare_fail(RIVAL_RULE).fails(*figures))


def _apart(pairs: Sequence[ProcessPair]) -> tuple[list[float], list[float]]:
    """Side a's rounds of the first half of a trial's blocks, and side b's of the second half."""
    blocks = [block for pair in pairs for block in pair.blocks]
    half = len(blocks) // 2
    before = [seconds for block in blocks[:half] for seconds in block.a_s]
    return before, [seconds for block in blocks[half:] for seconds in block.b_s]


def missed(rows: Sequence[PowerRow]) -> list[PowerRow]:
    """The rates over all cells that are certainly, or finally, on the wrong side of their bounds."""
    return [row for row in rows if not row.cell and row.answer == "missed"]


def exit_code(rows: Sequence[PowerRow]) -> int:
    """1 where a rate is missed, else 0."""
    return int(bool(missed(rows)))
