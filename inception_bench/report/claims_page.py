"""``claims.md``: a page to hand to a class. What was claimed, what was measured, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from inception_bench.claims.outcome import Outcome
from inception_bench.records.record import Run
from inception_bench.report.claims import counts, why
from inception_bench.report.markdown import about, table

_HEADS = ("claim", "claimed", "measured here", "verdict", "why")
_HOW = """\
Each claim was measured by this package in this run; nothing is taken over from a source. Its tolerance was written
down before the first run, and so was the verdict expected, but where a run brought news: then the last column says
what was found. *Reproduced*: the figure is within its tolerance. *Contradicted*: it is not, which may be a misprint, a
loose figure or another definition; the last column says which. *Inconclusive*: the 95 % interval spans the boundary.
*Not testable here*: something is missing, and named. *Not run*: this profile leaves the claim out. A *proxy* is a small
training that can show a direction, not the paper's figure; its arms were chosen on other seeds than these."""

_FIRST = """\
What is timed was expected from CPUs alone; on a GPU it is often the number of launches that counts, and not the work.
Where nobody had measured before there is *no expectation yet*: the verdict is told, and is neither right nor wrong."""


def claims_page(outcomes: Sequence[Outcome], run: Run) -> str:
    """The whole page: the counts, what came out otherwise than expected, and a table a source."""
    parts = ["# The papers' claims, measured", about(run), _HOW, _counts(outcomes)]
    if any(outcome.is_first for outcome in outcomes):
        parts.insert(3, _FIRST)
    news = [outcome for outcome in outcomes if not outcome.as_expected]
    if news:
        lines = [f"* {outcome.claim.id}: {outcome.verdict}, {outcome.remark}" for outcome in news]
        parts.append("## Otherwise than expected\n\n" + "\n".join(lines))
    for source, group in groupby(outcomes, key=lambda outcome: outcome.claim.paper):
        parts.append(f"## {source}\n\n{table(_HEADS, map(_cells, group))}")
    return "\n\n".join(parts) + "\n"


def _counts(outcomes: Sequence[Outcome]) -> str:
    numbers = {**counts(outcomes), "all": len(outcomes)}
    return table(("verdict", "claims"), [(verdict, str(number)) for verdict, number in numbers.items()])


def _cells(outcome: Outcome) -> list[str]:
    claim = outcome.claim
    place = claim.place.removeprefix("/ ")
    where = f" ({place})" if place else ""
    condition = f" *{claim.condition}*" if claim.condition else ""
    verdict = f"**{outcome.verdict}**" + (f" ({outcome.remark})" if outcome.remark else "")
    stated = f"{claim.id}{where}: {claim.statement}{condition}"
    bounds = f" ({claim.claimed_text})" if claim.bounds and not any(map(str.isdigit, claim.figure)) else ""
    return [stated, claim.figure + bounds, outcome.measured_text, verdict, why(outcome)]
