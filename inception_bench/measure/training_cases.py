"""Which networks a run trains, which training steps it times, and which cells the trained networks make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_bench.data.sets import SOURCES, count_classes
from inception_bench.errors import OptionError, UnknownNameError
from inception_bench.models.table import Table
from inception_bench.models.weights.hub import SOURCES as HUBS
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec, trained_weights
from inception_bench.spec.profile import Profile
from inception_bench.spec.runtime import REFERENCE_BACKEND, Runtime
from inception_bench.train.recipes import RECIPES, find_recipe

# The precisions in which a step is timed on each device. A CPU has fp32 alone, as many processors only emulate bf16.
STEP_PRECISIONS = {"cpu": ("fp32",), "cuda": ("fp32", "tf32", "bf16")}
# Images in a timed step at paper scale. The papers have 32, with which a step on a small CPU would take too long.
PAPER_SCALE_BATCH = {"cpu": 8, "cuda": 32}


@dataclass(frozen=True)
class Scales:
    """The input sizes (pixels) and width multipliers that the user named; empty where the recipe decides them."""

    input_sizes: tuple[int, ...]
    width_mults: tuple[float, ...]


def training_cases(
    tables: Sequence[Table], profile: Profile, data: str, scales: Scales, device: str, threads: int
) -> tuple[Case, ...]:
    """A case of eager for each scale, each seed, and each of ``tables`` that the profile's recipe knows.

    The batch size is the recipe's.
    """
    known = [table for table in tables if table.name in RECIPES[profile.recipe]]
    classes = count_classes(data) if known else 0
    return tuple(
        Case(
            NetworkSpec(
                table.name, table.definition, size, width, classes, trained_weights(profile.recipe, seed), data
            ),
            Runtime(REFERENCE_BACKEND, device, "fp32", recipe.batch_size, threads),
        )
        for table in known
        for recipe in [find_recipe(profile.recipe, table.address)]
        for size in scales.input_sizes or (recipe.input_size or table.input_size,)
        for width in scales.width_mults or (recipe.width_mult,)
        for seed in profile.seeds
    )


def step_cases(
    trainings: Sequence[Case], tables: Sequence[Table], profile: Profile, precisions: Sequence[str] = ("fp32",)
) -> tuple[Case, ...]:
    """The training steps to time: one for each network and scale, or one for each network at the papers' scale.

    Each is timed in those of ``precisions``, the precisions of the run's cells, that a step can have on its device; in
    fp32 where it can have none of them.
    """
    return tuple(
        case.with_runtime(precision=precision)
        for case in _stepping(trainings, tables, profile)
        for precision in [name for name in precisions if name in STEP_PRECISIONS[case.runtime.device]] or ["fp32"]
    )


def _stepping(trainings: Sequence[Case], tables: Sequence[Table], profile: Profile) -> tuple[Case, ...]:
    if not profile.paper_scale:
        scales = [(case.network.address, case.network.input_size, case.network.width_mult) for case in trainings]
        return tuple(dict(zip(scales, trainings, strict=True)).values())
    native = {table.address: table.input_size for table in tables}
    first = {case.network.address: case for case in reversed(trainings)}
    return tuple(
        case.with_network(input_size=native[address], width_mult=1.0).with_runtime(
            batch_size=PAPER_SCALE_BATCH[case.runtime.device]
        )
        for address, case in reversed(first.items())
    )


def check_data(name: str) -> str:
    """The name of a data set, whose part before ``:`` is checked. Raises UnknownNameError."""
    source = name.partition(":")[0]
    if source not in SOURCES:
        raise UnknownNameError("data set", source, SOURCES)
    return name


def find_weights(text: str, tables: Sequence[Table]) -> str:
    """The absolute path of a file of weights, or a public name as it is.

    Raises OptionError where the file does not exist, or where the run has several networks.
    """
    if len(tables) != 1:
        raise OptionError(
            lambda named: (
                f"{named('weights')}={text} fits one network, not {len(tables)}; name it with {named('models')}"
            )
        )
    if text.partition(":")[0] in HUBS:
        return text
    if not Path(text).is_file():
        raise OptionError(
            lambda named: f"{named('weights')}={text} is no file and no public name such as timm:inception_v4.tf_in1k"
        )
    return str(Path(text).resolve())
