"""Profiles: how much a run does, as data. An explicit list on the command line overrides a profile's."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_ROUNDS = 64
# With 662 rounds the 99th percentile has an upper estimate at 99 % confidence; with 64 the 90th has.
P99_ROUNDS = 662


@dataclass(frozen=True)
class Profile:
    """What a run covers. ``models`` and ``backends`` may hold the words of the options (``all``).

    ``claims`` says which of the papers' claims are measured: ``exact`` ones, a ``handful`` of the timed ones
    too, all ``timed`` ones, or ``all``, training proxies included.
    """

    name: str
    models: tuple[str, ...]
    backends: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    rounds: int = LEAST_ROUNDS
    warmup_rounds: int = 5
    claims: str = "exact"


_PORTABLE = ("eager", "torchscript", "onnxruntime")

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("smoke", ("googlenet", "inception_v3"), _PORTABLE, (1,)),
        Profile("quick", ("all",), _PORTABLE, (1,), claims="handful"),
        Profile("standard", ("all", "alexnet", "vgg16"), ("all",), (1, 8), claims="timed"),
        Profile("full", ("all-definitions",), ("all",), (1, 8, 32), rounds=P99_ROUNDS, claims="all"),
    )
}
DEFAULT_PROFILE = "quick"


@dataclass(frozen=True)
class Limits:
    """Seconds that each stage of a cell may take before it is ``timeout``."""

    build: float = 900.0
    load: float = 180.0
    parity: float = 300.0
    time: float = 900.0
