"""Recipes hold the papers' numbers, each with its source, and can be taken apart by name."""

from dataclasses import fields, replace

import pytest

from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.public import NINE
from inception_bench.train.command import Typed, make_job
from inception_bench.train.job import Machine
from inception_bench.train.recipe import Recipe, Schedule
from inception_bench.train.recipes import PAPERS, QUICK, SGD, STANDARD, find_recipe


def test_every_network_of_the_nine_has_each_recipe():
    assert set(PAPERS) == set(QUICK) == set(STANDARD) == set(NINE)


@pytest.mark.parametrize("network", NINE)
def test_every_number_of_a_paper_recipe_has_a_source(network):
    recipe, plain = PAPERS[network], Recipe("plain", "sgd", 1.0, 1, 1)
    # Values of the plain recipe mean "without"; the scale is not a number of a paper.
    without = {"name", "width_mult", "input_size", "sources", "paper", "batch_norm", "aux"}
    if recipe.optimiser == "sgd":
        without |= {"decay", "epsilon"}
    own = {
        f.name for f in fields(recipe) if f.name not in without and getattr(recipe, f.name) != getattr(plain, f.name)
    }
    rmsprop = {"momentum", "decay", "epsilon"} if recipe.optimiser == "tf-rmsprop" else {"momentum"}
    assert own | rmsprop | {"optimiser"} <= set(recipe.sources)


def test_numbers_as_the_papers_print_them():
    v1, v3, v4 = PAPERS["googlenet"], PAPERS["inception_v3"], PAPERS["inception_v4"]
    # arXiv:1409.4842, section 6: momentum 0.9, learning rate lowered by 4 % every 8 epochs.
    assert (v1.optimiser, v1.momentum) == ("sgd", 0.9)
    assert v1.schedule == Schedule("exponential", every_epochs=8, factor=0.96)
    # arXiv:1512.00567, section 8: RMSProp, decay 0.9, epsilon 1.0, 0.045, 0.94 every two epochs, clip 2.0; section 7.
    assert (v3.optimiser, v3.decay, v3.epsilon, v3.rate, v3.clip) == ("tf-rmsprop", 0.9, 1.0, 0.045, 2.0)
    assert v3.schedule == Schedule("exponential", every_epochs=2, factor=0.94)
    assert (v3.label_smoothing, v3.epochs, v3.batch_size) == (0.1, 100, 32)
    # arXiv:1602.07261, section 4: the same without clipping.
    assert (v4.decay, v4.epsilon, v4.rate, v4.clip, v4.label_smoothing) == (0.9, 1.0, 0.045, None, 0.0)
    # arXiv:1502.03167, section 4.2: thirty times 0.0015, no dropout.
    assert PAPERS["bn_inception"].rate == pytest.approx(30 * 0.0015)
    assert not PAPERS["bn_inception"].dropout


@pytest.mark.parametrize("network", NINE)
@pytest.mark.parametrize("small", [QUICK, STANDARD])
def test_small_recipes_keep_optimiser_losses_and_regularisers(network, small):
    paper, own = PAPERS[network], small[network]
    kept = (
        "optimiser",
        "momentum",
        "decay",
        "epsilon",
        "label_smoothing",
        "weight_decay",
        "clip",
        "dropout",
        "aux",
        "averaging",
    )
    changed = [name for name in kept if getattr(own, name) != getattr(paper, name)]
    # No paper trains googlenet_naive, and GoogLeNet's optimiser does not, reliably: the recipe says so.
    assert changed == (["optimiser", "epsilon"] if network == "googlenet_naive" else [])
    assert (own.width_mult, own.input_size) == (0.25, 80)
    for name, text in own.paper.items():
        assert text == str(getattr(paper, name))
    changed = {f.name for f in fields(own) if getattr(own, f.name) != getattr(paper, f.name)}
    assert changed - {"name", "paper", "sources", "width_mult", "input_size", "recalibration", "threads"} <= {
        *own.paper,
        *({"epsilon"} if paper.optimiser == "sgd" else ()),
    }


def test_stairs():
    """0.96 every 8 epochs of 10 steps: 1 in step 79, 0.96 in 80, 0.96 twice in 160."""
    stairs = Schedule("exponential", every_epochs=8, factor=0.96)
    assert [stairs.at(step, 1000, 10) for step in (0, 79, 80, 160)] == [1, 1, 0.96, 0.96**2]


def test_rise_and_fall():
    """A tenth of 100 steps of warm-up; then half a cosine: 1 at its start, 1/2 in its middle."""
    curve = Schedule("cosine", warmup=0.1)
    assert [curve.at(step, 100, 10) for step in (0, 4, 9, 10)] == [0.1, 0.5, 1.0, 1.0]
    assert curve.at(55, 100, 10) == pytest.approx(0.5)
    assert Schedule("linear").at(75, 100, 10) == 0.25
    assert Schedule().at(99, 100, 10) == 1


def test_switched_off_by_name():
    bare = find_recipe("quick", "inception_v3").without(
        {"aux", "label-smoothing", "clip", "averaging", "dropout", "bn"}
    )
    assert (bare.aux, bare.label_smoothing, bare.clip, bare.averaging) == (False, 0.0, None, None)
    assert (bare.dropout, bare.batch_norm) == (False, False)
    assert bare.name == "quick-aux-averaging-bn-clip-dropout-label-smoothing"


def test_unknown_names():
    with pytest.raises(UnknownNameError, match=r"unknown part of a recipe 'auxx'; did you mean 'aux'"):
        SGD.without({"auxx"})
    with pytest.raises(UnknownNameError, match=r"unknown recipe of vgg16 'quick' \(known: sgd\)"):
        find_recipe("quick", "vgg16")
    with pytest.raises(UsageError, match="rate 0 is not possible"):
        replace(SGD, rate=0)
    with pytest.raises(UnknownNameError, match="unknown optimiser 'adam'"):
        replace(SGD, optimiser="adam")


@pytest.mark.parametrize(
    ("recipe", "machine", "name", "threads"),
    [
        ("quick", Machine("cpu"), "quick", 1),
        ("quick", Machine("cpu", threads=1), "quick", 1),
        ("quick", Machine("cpu", threads=2), "quick-threads=2", 2),
        ("quick", Machine("cuda", threads=2), "quick", 2),
        ("sgd", Machine("cpu", threads=2), "sgd", 2),
        ("sgd", Machine("cpu"), "sgd", None),
    ],
)
def test_threads_that_decide_the_weights_are_in_the_recipe(recipe, machine, name, threads):
    """As typed, they make another recipe; on a GPU and in other recipes they are the machine's."""
    job = make_job("googlenet", "digits", recipe, Typed(machine=machine))
    assert (job.recipe.name, job.threads) == (name, threads)
    on_cpu = replace(job, machine=replace(machine, device="cpu")).identity()
    assert on_cpu["recipe"].get("threads") == job.recipe.threads
