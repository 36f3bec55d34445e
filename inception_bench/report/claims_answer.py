"""The answer of the command ``claims``: the text to print, and whether every verdict is as expected."""

from __future__ import annotations

from pathlib import Path

from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.outcome import Outcome
from inception_bench.errors import UsageError
from inception_bench.records.journal import FILE, Journal, newest_run
from inception_bench.report.claims import outcomes_of
from inception_bench.report.claims_text import explanation, ledger_text, to_json, unread


def claims_text(folder: Path | None, why: str | None, *, json: bool, colour: bool) -> tuple[str, bool]:
    """What to print, and whether every verdict is the expected one.

    ``folder`` is a results folder whose newest run is shown, ``why`` the id of one claim to explain. Raises
    UsageError for an unknown id, or a folder without measured claims.
    """
    outcomes, run_id = (unread(list(ledger().values())), None) if folder is None else _of_run(folder)
    if why is not None:
        wanted = find_claim(why)
        outcomes = [outcome for outcome in outcomes if outcome.claim is wanted]
    fine = all(outcome.as_expected for outcome in outcomes)
    if json:
        return to_json(outcomes, run_id), fine
    if why is not None:
        return explanation(outcomes[0], measured=run_id is not None), fine
    return ledger_text(outcomes, measured=run_id is not None, colour=colour), fine


def _of_run(folder: Path) -> tuple[list[Outcome], str]:
    records, _ = Journal(folder / FILE).read()
    newest = newest_run(records) if records else []
    outcomes = outcomes_of(newest)
    if not outcomes:
        raise UsageError(f"{folder} holds no claims of its newest run; run pytest suites/test_claims.py first")
    return outcomes, newest[-1].run.run_id
