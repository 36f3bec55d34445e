"""First guesses, by hand: what is counted once, what grows with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from inception_bench.measure import guesses
from inception_bench.measure.guesses import (
    Guess,
    Pace,
    cell_parts,
    counting_parts,
    pair_parts,
    step_parts,
    training_parts,
)
from inception_bench.measure.pairing import named_pairs
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

V3 = Case(NetworkSpec("inception_v3", "", 299, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 2))
ONNX = replace(V3, runtime=replace(V3.runtime, backend="onnxruntime"))
MACS = 5_713_216_096  # arXiv:1512.00567 as released, counted by three counters
DIGITS = Case(
    NetworkSpec("inception_v3", "", 80, 0.25, 10, "recipe:quick:0", "digits"), Runtime("eager", "cpu", "fp32", 1, 2)
)


def whole(parts, *, built: bool = False) -> float:
    return sum(parts.values(), Guess()).seconds(Pace(), built=built)


def test_rounds_of_a_cell_are_those_of_both_sides():
    """64 more rounds of two networks at 60 G MACs a second, and a share for the layers, which is small here."""
    more = whole(cell_parts(V3, 128)) - whole(cell_parts(V3, 64))
    assert 128 * MACS / 60e9 < more < 1.2 * 128 * MACS / 60e9


def starts(parts_of: Callable[[], Mapping[str, Guess]], monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds for each pair of processes after the first, of which a cell has three."""
    assert guesses.LEAST_PAIRS == 3
    three = whole(parts_of())
    monkeypatch.setattr(guesses, "LEAST_PAIRS", 1)
    return (three - whole(parts_of())) / 2


@pytest.mark.parametrize("case", [V3, ONNX], ids=["eager", "onnxruntime"])
def test_a_cell_starts_eager_beside_it(case, monkeypatch):
    assert starts(lambda: cell_parts(case, 64), monkeypatch) == pytest.approx(2.5)


@pytest.mark.parametrize(("case", "seconds"), [(V3, 2.5), (ONNX, 0.5)], ids=["eager", "onnxruntime"])
def test_a_pair_of_networks_starts_its_own_runtime_alone(case, seconds, monkeypatch):
    """Which is short where it imports no torch."""
    (pair,) = named_pairs("two_3x3_for_5x5", [case])
    assert starts(lambda: pair_parts(pair, 256), monkeypatch) == pytest.approx(seconds)


def test_all_runtimes_of_a_network_share_its_reference():
    names = [
        set(cell_parts(replace(V3, runtime=replace(V3.runtime, backend=each)), 64)) for each in ("eager", "openvino")
    ]
    assert names[0] & names[1] == {"builder", f"reference {V3.network}"}


def test_a_trained_cell_trains_as_its_training_does():
    parts = cell_parts(DIGITS, 64)
    (training,) = training_parts(DIGITS).items()
    assert training in parts.items()


def test_a_training_has_the_steps_of_its_recipe():
    """Eight epochs of 1280 digits in batches of 32 are 320 steps; each is 3 x 32 images' MACs and its layers' share."""
    (guess,) = training_parts(DIGITS).values()
    per_step = (guess.build_s - 7.0) / 320
    (step,) = step_parts(replace(DIGITS, runtime=replace(DIGITS.runtime, batch_size=32)), 10).values()
    assert step.work_s == pytest.approx(10 * per_step)
    assert whole(training_parts(DIGITS), built=True) == 0.3


def test_fifty_times_the_images_take_longer():
    fashion = replace(DIGITS, network=replace(DIGITS.network, data="fashion-mnist"))
    ratio = whole(training_parts(fashion)) / whole(training_parts(DIGITS))
    assert 30 < ratio < 55_000 / 1280


def test_counting_starts_the_builder_once():
    parts = counting_parts(V3)
    assert (parts["builder"], cell_parts(V3, 64)["builder"]) == (Guess(start_s=3.0), Guess(build_s=3.0))
    assert parts[f"count {V3.network}"].work_s == pytest.approx(MACS / 14e9)


def test_a_gpu_compiles_once():
    cuda = [replace(V3, runtime=Runtime(name, "cuda", "fp16", 128, 2)) for name in ("eager", "tensorrt")]
    compiling = [cell_parts(case, 64)[f"cell {case.id}"].build_s for case in cuda]
    assert compiling == [0.0, 90.0]
