"""The ledger: every claim, read from the TOML files of ``sources``, one a paper or tutorial."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from inception_bench.claims.claim import KINDS, NEEDS, Bound, Claim, parse_bounds
from inception_bench.claims.printed_lines import printed_figure
from inception_bench.claims.verdict import VERDICTS
from inception_bench.errors import UnknownNameError

# In the order of the tutorials and papers.
SOURCES = ("tutorial_s1", "tutorial_s2", "tutorial_s4", "googlenet", "bn_inception", "rethinking", "inception_v4")
# A claimed figure may be this word in place of a number: it is then read from the package's own table of the paper,
# which has what the paper prints, so that no figure is written down twice.
_PRINTED = "printed"


@cache
def ledger() -> dict[str, Claim]:
    """Every claim by its id, in the order of the sources. Raises ValueError for an entry that is not whole."""
    claims: dict[str, Claim] = {}
    for name in SOURCES:
        text = (files("inception_bench.claims") / "sources" / f"{name}.toml").read_text(encoding="utf-8")
        data = tomllib.loads(text)
        for entry in data["claim"]:
            claim = read_claim(entry, data["source"])
            if claim.id in claims:
                raise ValueError(f"claim {claim.id} stands twice in the ledger")
            claims[claim.id] = claim
    return claims


def find_claim(claim_id: str) -> Claim:
    """The claim of that id; raises UnknownNameError with the nearest ids of the same source."""
    claims = ledger()
    if claim_id not in claims:
        source = claim_id.split("-")[0].upper()
        raise UnknownNameError(
            "claim", claim_id, [known for known in claims if known.split("-")[0] == source] or claims
        )
    return claims[claim_id]


def read_claim(entry: dict[str, Any], source: str) -> Claim:
    """One entry of a file, of the paper or tutorial ``source``. Raises ValueError where it is not whole."""
    entry = dict(entry)
    claimed = entry.pop("claimed", "")
    arguments = entry.pop("with", {})
    fields = {
        "place": "",
        "condition": "",
        "tolerance_why": "",
        "measure": "",
        "needs": "nothing",
        "by_hand": "",
        **entry,
    }
    units = tuple(word.strip() for word in fields.pop("unit", "").split(";"))
    bounds = _bounds(claimed, arguments)
    units = units * len(bounds) if len(units) == 1 else units
    claim = Claim(paper=source, bounds=bounds, units=units, arguments=arguments, **fields)
    _check(claim)
    return claim


def _bounds(claimed: str, arguments: dict[str, Any]) -> tuple[Bound, ...]:
    if claimed.startswith(_PRINTED):
        claimed = claimed.replace(_PRINTED, f"{printed_figure(**arguments):.10g}")
    return parse_bounds(claimed)


def _check(claim: Claim) -> None:
    for what, value, known in (
        ("kind", claim.kind, KINDS),
        ("needs", claim.needs, NEEDS),
        ("expected", claim.expected, VERDICTS),
    ):
        if value not in known:
            raise ValueError(f"claim {claim.id}: {what} {value!r} is none of {', '.join(known)}")
    _check_cuda(claim)
    if len(claim.units) != len(claim.bounds) and claim.bounds:
        raise ValueError(f"claim {claim.id}: {len(claim.bounds)} figures, {len(claim.units)} units")
    if claim.is_exact and not (claim.by_hand and claim.measure and claim.bounds):
        raise ValueError(f"claim {claim.id}: an exact claim has figures, a measure and a calculation by hand")


def _check_cuda(claim: Claim) -> None:
    if not claim.expected_cuda and not claim.reason_cuda:
        return
    if not claim.is_timed:
        raise ValueError(f"claim {claim.id}: only what is timed has an expected_cuda; all else is the same everywhere")
    if claim.expected_cuda not in VERDICTS:
        raise ValueError(f"claim {claim.id}: expected_cuda {claim.expected_cuda!r} is none of {', '.join(VERDICTS)}")
    if not claim.reason_cuda:
        raise ValueError(f"claim {claim.id}: expected_cuda needs reason_cuda, one line of what was measured on a GPU")
