"""Profiles: how much a run does, as data. An explicit list on the command line overrides a profile's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEAST_ROUNDS = 64
# Fewer pairs of processes a cell cannot tell programs from processes.
LEAST_PAIRS = 3
# 662 rounds give an upper estimate of the 99th percentile at 99 % confidence; 64 rounds give one of the 90th only.
P99_ROUNDS = 662


@dataclass(frozen=True)
class Limits:
    """Seconds that each stage of a cell may take before it is ``timeout``."""

    build: float = 900.0
    load: float = 180.0
    parity: float = 300.0
    accuracy: float = 1800.0
    time: float = 900.0
    train: float = 43200.0


@dataclass(frozen=True)
class Profile:
    """What a run covers. ``models`` and ``backends`` may hold the words of the options (``all``).

    ``trained`` are the networks that are trained (None: all ``models`` that have a recipe), by ``recipe`` on
    ``data``, once for each of ``seeds``. A training step is timed in ``step_rounds`` rounds, at the scale of
    the recipe or, with ``paper_scale``, at native size and full width.
    ``claims`` says which of the papers' claims are measured: ``exact`` ones, a ``handful`` of the timed ones
    too, all ``timed`` ones, or ``all``, training proxies included.
    A cell is timed until half the 95 % interval of its speed-up is at most the share ``aim`` of it, or for ``budget_s``
    seconds, whichever comes first, but never less than ``rounds`` rounds.
    ``shares_partner`` lets one process of the paired reference serve all runtimes of a network and batch in each of
    their pairs of processes: starting it anew for each would take most of a short cell's time. ``window_s`` says for
    how many seconds a GPU's power is measured.
    """

    name: str
    models: tuple[str, ...]
    backends: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    rounds: int = LEAST_ROUNDS
    aim: float = 0.02
    budget_s: float = 20.0
    trained: tuple[str, ...] | None = None
    data: str = "digits"
    recipe: str = "quick"
    seeds: tuple[int, ...] = (0,)
    step_rounds: int = 3
    paper_scale: bool = False
    claims: str = "exact"
    device: str = "cpu"
    precisions: tuple[str, ...] = ("fp32",)
    shares_partner: bool = False
    window_s: float = 5.0
    limits: Limits = Limits()


_PORTABLE = ("eager", "torchscript", "onnxruntime")
_FASHION: dict[str, Any] = {"data": "fashion-mnist", "recipe": "standard", "paper_scale": True}
_NARROW: dict[str, Any] = {"aim": 0.01, "budget_s": 240.0}

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("smoke", ("googlenet", "inception_v3"), _PORTABLE, (1,), trained=("inception_v3",)),
        Profile("quick", ("all",), _PORTABLE, (1,), claims="handful"),
        Profile(
            "standard",
            ("all", "alexnet", "vgg16"),
            ("all",),
            (1, 8),
            **_FASHION,
            **_NARROW,
            step_rounds=10,
            claims="timed",
        ),
        Profile(
            "full",
            ("all-definitions",),
            ("all",),
            (1, 8, 32),
            P99_ROUNDS,
            **_FASHION,
            **_NARROW,
            seeds=(0, 1, 2),
            step_rounds=30,
            claims="all",
        ),
        # TensorRT and inductor compile for minutes; TF32 is a precision of its own and must be asked for.
        Profile(
            "gpu",
            ("all",),
            ("all",),
            (1, 128),
            trained=("inception_v3",),
            paper_scale=True,
            step_rounds=10,
            device="cuda",
            precisions=("fp32", "fp16", "bf16"),
            shares_partner=True,
            window_s=2.0,
            limits=Limits(load=600.0),
        ),
    )
}
DEFAULT_PROFILE = "quick"
