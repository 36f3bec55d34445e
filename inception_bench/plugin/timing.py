"""What the ini file says of timing."""

from __future__ import annotations

from dataclasses import dataclass

from inception_bench.errors import UsageError
from inception_bench.machine.processor import L2_STATES
from inception_bench.spec.profile import Limits


@dataclass(frozen=True)
class TimingOptions:
    """What the ini file (or ``-o``) says of timing: seconds a stage may take, and a GPU's second-level cache."""

    limits: Limits
    l2: str

    @classmethod
    def read(cls, limits: str, l2: str, usual: Limits) -> TimingOptions:
        """``limits`` as ``parse_limits`` takes it, ``l2`` one of ``warm`` and ``cold``. Raises UsageError."""
        if l2 not in L2_STATES:
            raise UsageError(f"inception_l2: {l2!r} is not possible; write {' or '.join(L2_STATES)}")
        return cls(parse_limits(limits, usual), l2)


def parse_limits(text: str, usual: Limits) -> Limits:
    """Read ``build=900 load=180 time=900`` and so on (see ``Limits``; in seconds): what is left out is as usual."""
    known = vars(usual)
    given = {}
    for word in text.split():
        stage, _, seconds = word.partition("=")
        try:
            given[stage] = float(seconds)
        except ValueError:
            given[stage] = 0.0
        if stage not in known or not given[stage] > 0:
            raise UsageError(f"inception_limits: {word!r} is not possible; write STAGE=SECONDS with {', '.join(known)}")
    return Limits(**{**known, **given})
