"""The parity gate: its arithmetic by hand, and that each listed fault is told from rounding."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from inception_bench.builder import least_spread
from inception_bench.data.photographs import WINDOWS, parity_images, photograph_windows
from inception_bench.measure.parity import LIMITS, compare, limit_of, parity_error
from inception_bench.models.mutations import list_mutations, mutation_errors
from inception_bench.models.public import NINE, create_model, find_table
from inception_bench.models.weights.signal import keep_signal

# Of the nine these have no average pool inside, so none that could count its padding.
WITHOUT_AVERAGES = ("googlenet", "googlenet_naive", "googlenet_uniform", "inception_resnet_v1")
REFERENCE = np.array([[0.0, 0.0], [3.0, -1.0], [1.0, 5.0]])


def test_spread_is_the_least_of_the_pairs():
    # Largest differences: rows 0 and 1: 3; rows 0 and 2: 5; rows 1 and 2: 6.
    assert least_spread(REFERENCE) == 3.0


def test_error_over_spread_by_hand():
    assert parity_error(REFERENCE + np.array([[0.0, 0.03], [0, 0], [0, 0]]), REFERENCE, 3.0) == pytest.approx(0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unusable_values_are_an_infinite_error(bad):
    logits = REFERENCE.copy()
    logits[1, 1] = bad
    assert parity_error(logits, REFERENCE, 3.0) == float("inf")
    assert parity_error(REFERENCE[:2], REFERENCE, 3.0) == float("inf")


def test_limit_holds_only_where_it_can_tell():
    close = REFERENCE + 1e-5
    assert compare(close, REFERENCE, 3.0, {"pool": 0.7, "kernel": 0.4}, "fp32").holds
    blind = compare(close, REFERENCE, 3.0, {"pool": 0.7, "kernel": 1.5e-4}, "fp32")
    assert not blind.holds
    assert "cannot be told from a fault: kernel" in blind.reason()
    wrong = compare(REFERENCE + 0.01, REFERENCE, 3.0, {"pool": 0.7}, "fp32")
    assert not wrong.holds
    assert "over the limit 1e-04" in wrong.reason()


@pytest.mark.parametrize(
    ("rounding", "limit"),
    [
        (None, 1e-4),  # a CPU
        (1e-5, 1e-4),  # eager on the GPU errs by little: the usual limit
        (2e-4, 4e-4),  # its search chose an algorithm that rounds more: twice that
        (6e-4, 1e-3),  # never over a thousandth: TF32 would pass
        (float("inf"), 1e-3),  # eager itself
    ],
)
def test_limit_of_fp32_on_a_gpu_follows_eager(rounding: float | None, limit: float):
    assert limit_of("fp32", rounding) == pytest.approx(limit)
    reference = REFERENCE * 100.0  # the least spread is 300
    off = compare(reference + 300.0 * 1.01 * limit, reference, 300.0, {"pool": 0.7}, "fp32", rounding)
    near = compare(reference + 300.0 * 0.99 * limit, reference, 300.0, {"pool": 0.7}, "fp32", rounding)
    assert (off.holds, near.holds) == (False, True)
    assert limit_of("tf32", 0.2) == 5e-2


def test_windows_are_photographs_and_all_differ():
    windows = photograph_windows(96)
    assert windows.shape == (WINDOWS, 96, 96, 3)
    assert all(window.std() > 20 for window in windows)
    flat = windows.reshape(WINDOWS, -1).astype(float)
    distances = np.abs(flat[:, None] - flat[None]).mean(-1)
    assert distances[~np.eye(WINDOWS, dtype=bool)].min() > 10


def test_normalisation_by_hand():
    v3 = parity_images(80, find_table("inception_v3").preprocessing)
    assert v3.dtype == np.float32
    assert (v3.min(), v3.max()) == (-1.0, 1.0)  # the photographs reach black and white
    window = photograph_windows(80)[0, 40, 40]
    np.testing.assert_allclose(v3[0, :, 40, 40], window / 127.5 - 1, atol=1e-6)
    googlenet = parity_images(80, find_table("googlenet").preprocessing)
    np.testing.assert_allclose(googlenet[0, :, 40, 40], window - np.array([123.0, 117.0, 104.0]), atol=1e-4)


@pytest.mark.parametrize("name", NINE)
def test_every_fault_is_far_from_rounding(name):
    kinds = {"kernel", "pool", "order"} | (set() if name in WITHOUT_AVERAGES else {"padding"})
    size = 64 if find_table(name).input_size == 224 else 107
    images = torch.from_numpy(parity_images(size, find_table(name).preprocessing))
    model = create_model(name, width_mult=0.25)
    keep_signal(model, images)
    with torch.inference_mode():
        double = copy.deepcopy(model).double()(images.double()).numpy()
        single = model(images).numpy()
    spread = least_spread(double)
    rounding = parity_error(single, double, spread)
    errors = mutation_errors(model, images, spread)
    assert {fault.split()[0] for fault in errors} == kinds
    assert 2 * rounding < LIMITS["fp32"] <= min(errors.values()) / 2
    with torch.inference_mode():  # every mutation was taken back
        assert parity_error(model(images).numpy(), double, spread) == rounding


def test_signal_is_reproducible_and_calibrated():
    images = torch.from_numpy(parity_images(96, find_table("inception_v3").preprocessing))
    models = [create_model("inception_v3", width_mult=0.125, aux=True) for _ in range(2)]
    for model in models:
        keep_signal(model, images)
    for one, other in zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True):
        assert torch.equal(one, other)
    norm = models[0].rows["Conv2d_1a_3x3"][0].norm
    assert norm.momentum == 0.1
    assert not models[0].training
    with pytest.raises(ValueError, match="at least 2"):
        keep_signal(models[0], images[:1])


def test_mutations_skip_places_where_nothing_would_change():
    images = torch.from_numpy(parity_images(75, find_table("inception_v3").preprocessing))
    model = create_model("inception_v3", width_mult=0.125).eval()
    where = {mutation.where for mutation in list_mutations(model, images) if mutation.kind in ("kernel", "pool")}
    assert not any(place.startswith("Mixed_7c") for place in where)  # its grid is 1x1 at 75 pixels
