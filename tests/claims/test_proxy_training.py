"""Arms that are really trained: their course, their process, what a crash costs, and what a resumed run takes over."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from inception_bench.claims.claim import Claim
from inception_bench.claims.ledger import find_claim
from inception_bench.claims.methods.arms import Arm, Proxy
from inception_bench.claims.methods.proxies import PROXIES
from inception_bench.claims.methods.proxy import job_of_arm
from inception_bench.claims.outcome import broken, read_outcome
from inception_bench.measure.training import Training
from inception_bench.models.complexity import cost
from inception_bench.models.network import Network
from inception_bench.models.notation import format_branch
from inception_bench.models.plan import make_plan
from inception_bench.models.public import find_table
from inception_bench.processes.process import CallFailed
from inception_bench.records.claim_body import Course
from inception_bench.store.cache import ArtifactCache
from inception_bench.train.batches import Order
from inception_bench.train.course import read_job
from inception_bench.train.networks import make_networks

V1 = Arm("googlenet@bn", width_mult=0.125)
TINY = Proxy(V1, V1, ("final",), steps=6, every=3, early=3, train_images=320, data="digits")


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    found = Training(ArtifactCache(tmp_path_factory.mktemp("cache")), 120.0)
    yield found
    found.close()


def job(arm: Arm = V1, seed: int = 0, **design):
    return job_of_arm(replace(TINY, **design), arm, seed, threads=1)


@pytest.fixture(scope="module")
def course(training):
    return Course.from_json(training.course(job()))


def test_a_course_has_every_loss_and_the_accuracy_at_steps(course):
    assert course.outcome == "ok"
    assert len(course.losses) == 6
    assert sorted(course.validation) == [3, 6]
    assert 0 <= course.dead_share <= 1


def test_an_arm_of_two_proxies_is_trained_once(training, course, monkeypatch):
    monkeypatch.setattr(training, "_follow", None)  # whoever trains now fails
    assert Course.from_json(training.course(job())) == course


def test_a_divergence_is_an_outcome_and_not_an_error(training):
    diverged = Course.from_json(training.course(job(replace(V1, recipe={"rate": 1e30}))))
    assert diverged.outcome == "diverged"
    assert diverged.has_stalled
    assert diverged.dead_share is None


def test_a_killed_trainer_costs_one_arm(training, course):
    os.kill(training._courses.pid, signal.SIGKILL)
    training._courses._popen.wait()
    assert Course.from_json(training.course(job(seed=1))).outcome == "ok"  # by a new process


def test_an_arm_that_cannot_be_trained_fails_once_and_in_one_line(training):
    arm = replace(V1, changes={"residual_scale": 0.1})
    for _ in range(2):
        with pytest.raises(CallFailed, match="has no scaled residual rows"):
            training.course(job(arm))


def test_what_failed_is_news_whatever_was_expected():
    claim: Claim = find_claim("R-25")
    assert claim.expected == "inconclusive"
    outcome = broken(claim, "proxy, an arm of seed 10 failed: the process was killed by SIGKILL")
    assert not outcome.as_expected
    read = read_outcome(claim, outcome.body)
    assert (read.verdict, read.note, read.as_expected) == ("inconclusive", outcome.note, False)


@pytest.mark.parametrize("claim_id", PROXIES)
def test_a_job_is_the_same_after_the_wire(claim_id):
    proxy = PROXIES[claim_id]
    for arm in (proxy.treated, proxy.reference):
        made = job_of_arm(proxy, arm, 10, threads=1)
        assert read_job(asdict(made)) == made
        made.check()


def shared_weights(one: Network, other: Network) -> tuple[int, int]:
    """How many layers have the same name and shape in both, and how many of them begin alike."""
    theirs = dict(other.named_parameters())
    pairs = [
        (weight, theirs[name])
        for name, weight in one.named_parameters()
        if weight.dim() > 1 and name in theirs and theirs[name].shape == weight.shape
    ]
    return len(pairs), sum(torch.equal(weight, same) for weight, same in pairs)


@pytest.mark.parametrize(
    ("one", "other", "layers"),
    [
        # BN-Inception has 69 convolutions and their separable stem's second one, and a classifier.
        (Arm("bn_inception"), Arm("bn_inception", {"batch_norm": False}), 71),
        (V1, replace(V1, recipe={"aux": True}), 58),  # nine modules of six, a stem of three, a classifier
        (Arm("bn_inception"), Arm("arm.bn_inception@linear_between"), 71),
    ],
)
def test_arms_of_a_seed_begin_alike_where_they_have_the_same_layers(one, other, layers):
    networks = [make_networks(job(arm), 10)[0] for arm in (one, other)]
    assert shared_weights(*networks) == (layers, layers)
    assert shared_weights(networks[0], make_networks(job(one, seed=1), 10)[0]) == (layers, 0)


def test_both_places_of_asymmetric_modules_cost_the_same():
    """By hand: a 7x7 of 49 weights becomes 14, in two modules: 32^2 * 8^2 * 35 * 2 MACs saved in either place."""
    middle, large = (make_plan(find_table(f"arm.asymmetric@on_{grid}")) for grid in (16, 32))
    assert cost(middle).macs == cost(large).macs
    square = 2 * 32 * 32 * 8 * 8 * 49
    assert square == 2 * 16 * 16 * 16 * 16 * 49
    grids = {row.name: row.output.height for row in middle.rows}
    assert {grids["Mixed_2a"], grids["Mixed_2b"]} == {32}
    assert {grids["Mixed_3a"], grids["Mixed_3b"]} == {16}
    kernels = [layer.step.kernel for row in large.rows[1:3] for layer in row.layers()]
    assert kernels == [(1, 1), (1, 1), (1, 7), (7, 1)] * 2


def test_between_two_3x3_there_is_no_activation():
    rows = find_table("arm.bn_inception@linear_between").rows
    assert format_branch(rows["Mixed_3b"].branches[2]) == "1x1:64 3x3:96N 3x3:96"
    assert format_branch(rows["Mixed_3b"].branches[1]) == "1x1:64 3x3:64"
    assert sum(format_branch(branch).count("N") for row in rows.values() for branch in row.branches) == 10


def test_plain_heads_have_biases_and_no_norm():
    network, _ = make_networks(job(Arm("arm.googlenet@plain_heads", recipe={"aux": True})), 10)
    heads = [module for name, module in network.named_modules() if name.startswith("aux.")]
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in heads)
    assert [module.bias is not None for module in heads if isinstance(module, torch.nn.Conv2d)] == [True, True]
    convolution = next(module for module in heads if isinstance(module, torch.nn.Conv2d))
    branch = network.get_submodule("aux.Mixed_4b.branch")
    assert isinstance(branch[1].activation, torch.nn.ReLU)
    assert convolution is branch[1].conv
    assert find_table("arm.googlenet@plain_heads").rows == find_table("googlenet@bn").rows


def test_one_order_for_all_epochs_or_a_new_one_each():
    """Ten images in batches of five: two steps an epoch."""
    again, anew = (Order(np.arange(10), 5, seed=0, reshuffles=reshuffles) for reshuffles in (False, True))
    epochs = [[order.indices(step).tolist() for step in steps] for order in (again, anew) for steps in ((0, 1), (2, 3))]
    assert epochs[0] == epochs[1] == epochs[2]  # both begin alike
    assert epochs[3] != epochs[2]
    assert sorted(epochs[3][0] + epochs[3][1]) == list(range(10))
