"""What comes of a cell: outcome, reason, and all that was measured until then."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from inception_bench.measure.accuracy import Counts
from inception_bench.measure.parity import Parity, finite
from inception_bench.measure.rounds import Rounds
from inception_bench.store.cache import Artifact


@dataclass
class Measurement:
    """All that came of a cell; what was not reached stays None. Seconds, bytes.

    ``partner_pid`` tells cells of one run that were timed beside the same process from those that were not.
    """

    outcome: str = "failed"
    stage: str = ""
    reason: str = ""
    weights: str = ""
    artifact: Artifact | None = None
    attest: dict[str, Any] | None = None
    parity: Parity | None = None
    accuracy: Counts | None = None
    partner_parity: Parity | None = None
    load_s: float | None = None
    first_call_s: float | None = None
    rounds: Rounds | None = None
    peak_rss_bytes: int | None = None
    peak_rss_since_start_bytes: int | None = None
    device: dict[str, Any] | None = None
    worker: dict[str, Any] = field(default_factory=dict)
    partner_pid: int | None = None
    activity: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the artifact's place on this machine is left out."""
        artifact = None
        if self.artifact is not None:
            artifact = {key: value for key, value in vars(self.artifact).items() if key != "folder"}
        made = {
            "artifact": artifact,
            "parity": _plain(self.parity),
            "partner_parity": _plain(self.partner_parity),
            "accuracy": self.accuracy and self.accuracy.to_json(),
            "rounds": self.rounds and self.rounds.to_json(),
        }
        return {**vars(self), **made}


def _plain(parity: Parity | None) -> dict[str, Any] | None:
    if parity is None:
        return None
    return {**asdict(parity), "error": finite(parity.error)}
