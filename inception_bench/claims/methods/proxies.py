"""Which arms each training proxy compares, by the claim's id. The reference arm is the one whose accuracy is gated.

Unless a proxy says otherwise: Fashion-MNIST at 32 pixels (v3 and the residual networks take no less than 75), a
quarter of the width, 240 steps (160 at 75 pixels) of 32 images out of 4,000. Digits are too easy: every arm would end
near 100 %. The base recipe is plain SGD without any of the papers' regularisers, so that an arm differs in what is
named here and in nothing else. Arms that stand in several proxies are trained once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_bench.claims.methods.arms import FIVE_SEEDS, THREE_SEEDS, Arm, Proxy

RATE = 0.02  # of the arm without batch norm; a plain net of this depth bears little more
# Under 64 pixels BN-Inception's last maps have one cell, of which 32 images give batch norm a poor estimate.
B_SCALE: dict[str, Any] = {"input_size": 64, "steps": 150}
# Accuracies after a few steps tell how fast a network learns, not how good it becomes; that needs a pass over nearly
# all images. googlenet_naive was six points ahead after 240 steps (three seeds), four after 960 and one after that
# pass (seed 0), and three and a half after that pass on the seeds 10 to 12.
ONE_PASS: dict[str, Any] = {
    "steps": 1680, "every": 210, "early": 210, "train_images": 53_760, "seeds": THREE_SEEDS,
}  # fmt: skip
# At the width 0.6 the last residual sums have 1,075 filters; the claim is about more than 1,000.
WIDE_SCALE: dict[str, Any] = {"input_size": 75, "steps": 120, "every": 40, "early": 40, "seeds": THREE_SEEDS}
V3_SCALE: dict[str, Any] = {"input_size": 75, "steps": 160, "every": 20}

BN = Arm("bn_inception")
PLAIN = Arm("bn_inception", {"batch_norm": False})
V1 = Arm("googlenet@bn")
V3, RESIDUAL = Arm("inception_v3"), Arm("inception_resnet_v1")
WIDE = Arm("inception_resnet_v1", {"residual_scale": 1.0}, width_mult=0.6)
SCALED = Arm("inception_resnet_v1", {"residual_scale": 0.1}, width_mult=0.6)


def at_rate(arm: Arm, times: float) -> Arm:
    """The arm at so many times the base rate."""
    return replace(arm, recipe={**arm.recipe, "rate": RATE * times})


def with_recipe(arm: Arm, **fields: object) -> Arm:
    """The arm with fields of its recipe changed."""
    return replace(arm, recipe={**arm.recipe, **fields})


AUX_V1, AUX_V3 = with_recipe(V1, aux=True), with_recipe(V3, aux=True)
DROPPED = replace(with_recipe(V1, dropout=True), changes={"dropout": 0.4})
SIGMOID_BN = Arm("bn_inception", {"activation": "sigmoid"})
SIGMOID = Arm("bn_inception", {"activation": "sigmoid", "batch_norm": False})
RMSPROP = with_recipe(V3, optimiser="tf-rmsprop", epsilon=1.0, decay=0.9, rate=0.2)  # of v3's quick recipe

PROXIES: dict[str, Proxy] = {
    # Steps to nine tenths of the plain net's accuracy.
    "B-01": Proxy(at_rate(BN, 5), at_rate(PLAIN, 1), ("speedup",), **B_SCALE),
    "B-02": Proxy(at_rate(BN, 1), at_rate(PLAIN, 1), ("steps_share",), **B_SCALE),
    "B-03": Proxy(at_rate(BN, 30), at_rate(PLAIN, 1), ("speedup",), **B_SCALE),
    # The arm that should learn is the reference: its accuracy is gated, the other's is the claim.
    "B-04": Proxy(
        at_rate(PLAIN, 25), at_rate(BN, 25), ("reference_stalled", "treated_stalled"), seeds=FIVE_SEEDS
    ),
    "B-05": Proxy(at_rate(SIGMOID, 5), at_rate(SIGMOID_BN, 5), ("reference_final", "treated_final")),
    # A thousand images, eight times over: one order shows the same batches eight times.
    "B-16": Proxy(V1, with_recipe(V1, reshuffles=False), ("final",), train_images=1000),
    "B-15": Proxy(V1, DROPPED, ("final",)),
    "G-06": Proxy(DROPPED, V1, ("final",)),
    # The gain on the middle grid less that on the large one is the first arm less the second: each network has
    # square modules where the other has asymmetric ones.
    "S1-08": Proxy(
        Arm("arm.asymmetric@on_16", width_mult=1.0), Arm("arm.asymmetric@on_32", width_mult=1.0), ("final",),
        input_size=64,
    ),
    "S4-06": Proxy(Arm("googlenet_naive@projection", {"batch_norm": True}), V1, ("final",), **ONE_PASS),
    "S4-07": Proxy(AUX_V1, V1, ("final",), **ONE_PASS),
    "R-09": Proxy(at_rate(BN, 5), at_rate(Arm("arm.bn_inception@linear_between"), 5), ("final",)),
    "R-15": Proxy(AUX_V3, V3, ("early",), **V3_SCALE),
    "R-16": Proxy(AUX_V1, replace(AUX_V1, changes={"aux_at": "Mixed_4e"}), ("final",)),
    "R-17": Proxy(AUX_V1, with_recipe(Arm("arm.googlenet@plain_heads"), aux=True), ("final",)),
    "R-25": Proxy(with_recipe(V3, label_smoothing=0.1), V3, ("final",), **V3_SCALE),
    # The arm without clipping is the treated one: more of its runs should fail.
    "R-31": Proxy(RMSPROP, with_recipe(RMSPROP, clip=2.0), ("stalled_more",), **V3_SCALE),
    "R-32": Proxy(replace(V1, width_mult=0.5), V1, ("loss_saved",)),
    "I-05": Proxy(RESIDUAL, V3, ("speedup",), **V3_SCALE),
    "I-06": Proxy(RESIDUAL, V3, ("final",), **V3_SCALE),
    "I-07": Proxy(WIDE, SCALED, ("dead_more",), **WIDE_SCALE),
    # A fifth of the rate: one that still trains, as a rate at which nothing moves shows nothing.
    "I-09": Proxy(with_recipe(WIDE, rate=0.01), SCALED, ("dead_more",), **WIDE_SCALE),
}  # fmt: skip
