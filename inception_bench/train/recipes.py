"""The recipes by name: each paper's own, its small-scale forms, and plain SGD. Imports no torch.

``paper`` is what a network's paper says, filled up from its released code where the paper is
silent; every number has its source. ``quick`` and ``standard`` keep that recipe's optimiser, losses
and regularisers, and change rate, schedule, length and scale: ``Recipe.paper`` has the paper's
numbers beside them. ``sgd`` is the same for every network, without any of the papers' regularisers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_bench.data.augmentation import Augmentation
from inception_bench.errors import UnknownNameError
from inception_bench.models.public import find_table
from inception_bench.train.recipe import Recipe, Schedule

V1, BN, V3, V4 = "arXiv:1409.4842", "arXiv:1502.03167", "arXiv:1512.00567", "arXiv:1602.07261"
CAFFE = "the released bvlc_googlenet solver.prototxt"
PROTOTXT = "the released bvlc_googlenet train_val.prototxt"
SLIM = "TensorFlow-slim, train_image_classifier.py (its default)"
RELEASE = "TensorFlow's released inception_train.py"
CROPS = Augmentation(least_area=0.08)
CROPS_SOURCE = f"{V1}, section 6: areas of 8 to 100 %, aspects of 3/4 to 4/3"

GOOGLENET = Recipe(
    name="paper",
    optimiser="sgd",
    rate=0.01,
    batch_size=32,
    epochs=250,
    schedule=Schedule("exponential", every_epochs=8, factor=0.96),
    momentum=0.9,
    weight_decay=2e-4,
    averaging=0.9999,
    augmentation=CROPS,
    first_weights="caffe",
    sources={
        "optimiser": f"{V1}, section 6: stochastic gradient descent, asynchronous there",
        "rate": CAFFE,
        "batch_size": PROTOTXT,
        "epochs": f"{CAFFE}: 10 million steps",
        "schedule": f"{V1}, section 6: 4 % lower every 8 epochs",
        "momentum": f"{V1}, section 6",
        "weight_decay": CAFFE,
        "averaging": f"{V1}, section 6 names Polyak averaging without its window; decay of {RELEASE}",
        "aux": f"{V1}, section 5: two aux losses, weight 0.3",
        "dropout": f"{V1}, Table 1: 40 %, and 70 % in the aux heads (section 5)",
        "augmentation": CROPS_SOURCE,
        "first_weights": PROTOTXT,
    },
)
BN_INCEPTION = replace(
    GOOGLENET,
    rate=0.045,
    epochs=150,
    schedule=Schedule("exponential", every_epochs=8 / 6, factor=0.96),
    weight_decay=4e-5,
    averaging=None,
    dropout=False,
    first_weights="slim",
    sources={
        "optimiser": f"{BN}, section 4.2: SGD with momentum",
        "rate": f"{BN}, section 4.2.2: BN-x30, thirty times Inception's 0.0015",
        "batch_size": f"{BN}, section 4.2",
        "epochs": f"{BN}, section 4.2.2: BN-x30 is at its best after 6 million steps",
        "schedule": f"{BN}, section 4.2.1: decays six times faster than Inception's",
        "momentum": f"{V1}, section 6: BN-Inception changes what it names, and this is not named",
        "weight_decay": f"{BN}, section 4.2.1: a fifth of Inception's, here of 2e-4",
        "dropout": f"{BN}, section 4.2.1: removed",
        "augmentation": f"{CROPS_SOURCE}; photometric distortions reduced ({BN}, section 4.2.1)",
    },
)
INCEPTION_V3 = Recipe(
    name="paper",
    optimiser="tf-rmsprop",
    rate=0.045,
    batch_size=32,
    epochs=100,
    schedule=Schedule("exponential", every_epochs=2, factor=0.94),
    momentum=0.9,
    decay=0.9,
    epsilon=1.0,
    clip=2.0,
    weight_decay=4e-5,
    label_smoothing=0.1,
    averaging=0.9999,
    augmentation=CROPS,
    sources={
        "optimiser": f"{V3}, section 8, by TensorFlow's formula",
        "rate": f"{V3}, section 8",
        "batch_size": f"{V3}, section 8: 32 a replica, of which there were 50",
        "epochs": f"{V3}, section 8",
        "schedule": f"{V3}, section 8: 6 % lower every two epochs",
        "momentum": RELEASE,
        "decay": f"{V3}, section 8",
        "epsilon": f"{V3}, section 8",
        "clip": f"{V3}, section 8",
        "weight_decay": SLIM,
        "label_smoothing": f"{V3}, section 7",
        "averaging": f"{V3}, section 8 evaluates a running average; decay of {RELEASE}",
        "aux": f"{V3}, section 4 (batch-normalised); weight 0.4 of TensorFlow-slim",
        "dropout": "TensorFlow-slim, inception_v3.py: 80 % kept",
        "augmentation": CROPS_SOURCE,
    },
)
INCEPTION_V4 = replace(
    INCEPTION_V3,
    clip=None,
    label_smoothing=0.0,
    sources={
        "optimiser": f"{V4}, section 4, by TensorFlow's formula",
        "rate": f"{V4}, section 4",
        "batch_size": f"{V3}, section 8; {V4} gives none",
        "epochs": f"chosen here: about where the curves of {V4}, Figs. 23 to 26, end; the text gives none",
        "schedule": f"{V4}, section 4: 6 % lower every two epochs",
        "momentum": RELEASE,
        "decay": f"{V4}, section 4",
        "epsilon": f"{V4}, section 4",
        "weight_decay": SLIM,
        "averaging": f"{V4}, section 4 evaluates a running average; decay of {RELEASE}",
        "aux": "TensorFlow-slim: weight 0.4; the paper shows no aux head",
        "dropout": f"{V4}, Figs. 9 and 15: 80 % kept",
        "augmentation": CROPS_SOURCE,
    },
    epochs=160,
)
# googlenet_uniform has no paper: it gets GoogLeNet's recipe, although it has no aux heads.
UNIFORM = replace(
    GOOGLENET, sources={**GOOGLENET.sources, "optimiser": "chosen here: the listing names none, GoogLeNet's taken"}
)
PAPERS = {
    "googlenet": GOOGLENET,
    "googlenet_naive": GOOGLENET,
    "googlenet_uniform": UNIFORM,
    "bn_inception": BN_INCEPTION,
    "inception_v2": INCEPTION_V3,
    "inception_v3": INCEPTION_V3,
    "inception_v4": INCEPTION_V4,
    "inception_resnet_v1": INCEPTION_V4,
    "inception_resnet_v2": INCEPTION_V4,
}
SGD = Recipe(
    name="sgd",
    optimiser="sgd",
    rate=0.05,
    batch_size=32,
    epochs=8,
    schedule=Schedule("cosine", warmup=0.1),
    aux=False,
    dropout=False,
    width_mult=0.25,
    input_size=80,
    recalibration=16,
    sources={"rate": "chosen here, as all else of this recipe"},
)
RISE_AND_FALL = Schedule("cosine", warmup=0.1)

# The rate, the epochs and whatever else each network needs in order to learn in a few hundred steps.
#
# Batch normalisation makes a gradient grow on its way back through plain modules: in the first step Inception-v4's is 5
# in its last module and 4,900 in its second convolution, Inception-v3's 6 and 356, Inception-ResNet-v2's 3 and 32.
# TensorFlow's RMSProp with the papers' epsilon of 1 moves a weight with so large a gradient by the rate itself, and
# treats small gradients as plain descent does. At the papers' rate of 0.045 that throws the first layers about (v4
# reached a top-1 of 0.17 in 4 epochs, and of 0.10 at a rate of 0.3); at 0.005 v4 learns. Residual networks bear a
# higher rate. Where the gradient is clipped at 2 (v2, v3) all steps are small, and the rate must be higher than the
# paper's: at 0.045 v3 reached 0.86 in 8 epochs.
#
# googlenet_naive, which its paper never trains, does not learn reliably with GoogLeNet's optimiser: its pools pass
# their input through, so its logits start near 30. Clipped at 2, SGD reached 0.92 from seed 0 and 0.65 from seed 1.
# With a quiet stem, unclipped, at a rate of 0.003 it reached 0.98 from seed 1, but seed 2 still stood at the loss of a
# guess after 10 of 12 epochs; at 0.02 seed 1 did so too. RMSProp with an epsilon of nearly 0 gives each layer steps of
# its own size, and reached 0.99 from seed 2.
ADAPTIVE = {"optimiser": "tf-rmsprop", "decay": 0.9, "epsilon": 1e-8}
QUICK_CHANGES: dict[str, dict[str, Any]] = {
    "googlenet": {"rate": 0.02, "epochs": 14},
    "googlenet_naive": {"rate": 2e-4, "epochs": 8, **ADAPTIVE, "first_weights": "caffe-quiet-stem"},
    "googlenet_uniform": {"rate": 0.03, "epochs": 8},
    "bn_inception": {"rate": 0.045, "epochs": 8},
    "inception_v2": {"rate": 0.2, "epochs": 12},
    "inception_v3": {"rate": 0.2, "epochs": 8},
    "inception_v4": {"rate": 0.005, "epochs": 12},
    "inception_resnet_v1": {"rate": 0.01, "epochs": 5},
    "inception_resnet_v2": {"rate": 0.01, "epochs": 5},
}


def small(paper: Recipe, name: str, **changed: Any) -> Recipe:
    """A paper's recipe at a quarter of the width and 80 pixels; ``Recipe.paper`` has the values before ``changed``.

    It trains with one thread. So small a network gains little by a second one: 40 quick steps of GoogLeNet and of v3
    took 3.2 and 4.4 s with one thread each, at the same time on two cores, and 2.3 and 3.5 s with two threads in turn.
    """
    fixed = {"schedule": RISE_AND_FALL, "augmentation": None}
    unused = {"decay", "epsilon"} if paper.optimiser == "sgd" else set()
    beside = {key: str(getattr(paper, key)) for key in (*fixed, *changed) if key not in unused}
    scale: dict[str, Any] = {"width_mult": 0.25, "input_size": 80, "recalibration": 16, "threads": 1}
    return replace(paper, name=name, paper=beside, **{**scale, **fixed, **changed})


QUICK = {name: small(paper, "quick", **QUICK_CHANGES[name]) for name, paper in PAPERS.items()}
# Three epochs of Fashion-MNIST are 5,154 steps, against 360 to 540 of ``quick``. With so many steps the clipped
# networks need no raised rate: after two epochs v3 had a validation top-1 of 0.90 at the paper's own 0.045, 0.88 at
# ``quick``'s 0.2 and 0.86 at 0.015. v3 learns slowly (0.911 after three epochs, and 0.897 on the test part) and gets
# five epochs, as does v4 (0.905 and 0.897).
STANDARD_CHANGES: dict[str, dict[str, Any]] = {
    **{name: {**changes, "epochs": 3} for name, changes in QUICK_CHANGES.items()},
    "inception_v2": {"epochs": 3},
    "inception_v3": {"epochs": 5},
    "inception_v4": {"rate": 0.01, "epochs": 5},
}
STANDARD = {name: small(paper, "standard", **STANDARD_CHANGES[name]) for name, paper in PAPERS.items()}
RECIPES = {"paper": PAPERS, "quick": QUICK, "standard": STANDARD}
NAMES = (*RECIPES, "sgd")


def find_recipe(name: str, model: str) -> Recipe:
    """The recipe ``name`` for ``model`` (name or name@definition).

    A network without a paper here (a baseline, a package's own) has ``sgd`` only. Raises
    UnknownNameError for another name, with those that the network has.
    """
    network = find_table(model).name
    known = [candidate for candidate in NAMES if candidate == "sgd" or network in RECIPES[candidate]]
    if name not in known:
        raise UnknownNameError(f"recipe of {network}", name, known)
    return SGD if name == "sgd" else RECIPES[name][network]
