"""Which arms each training proxy compares, by the claim's id. The reference arm is the one whose accuracy is gated.

Scale: Fashion-MNIST at 32 pixels (v3 and the residual networks: 75, their least), a quarter of the width, 240
steps of 32 images out of 4,000. Digits would saturate. The base recipe is plain SGD without any of the papers'
regularisers, so that an arm differs in what is named here and in nothing else.

Not here, as neither a change of a table nor a field of a recipe makes the arm: S1-08 (modules placed on another
grid at equal cost), R-09 (no activation between two 3x3), R-17 (an aux head without batch norm) and B-16 (one
order of images for all epochs).
"""

from __future__ import annotations

from dataclasses import replace

from inception_bench.claims.proxy import Arm, Proxy

RATE = 0.02  # of the arm without batch norm; a plain net of this depth bears little more
FIVE_SEEDS = (0, 1, 2, 3, 4)

BN = Arm("bn_inception")
PLAIN = Arm("bn_inception", {"batch_norm": False})
V1 = Arm("googlenet@bn")
V3, RESIDUAL = Arm("inception_v3"), Arm("inception_resnet_v1")
WIDE = Arm("inception_resnet_v1", {"residual_scale": 1.0}, width_mult=1.0)
SCALED = Arm("inception_resnet_v1", {"residual_scale": 0.1}, width_mult=1.0)


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
RMSPROP = with_recipe(V3, optimiser="tf-rmsprop", epsilon=1.0, decay=0.9, rate=0.045)

PROXIES: dict[str, Proxy] = {
    # Steps to nine tenths of the plain net's accuracy.
    "B-01": Proxy(at_rate(BN, 5), at_rate(PLAIN, 1), ("speedup",)),
    "B-02": Proxy(at_rate(BN, 1), at_rate(PLAIN, 1), ("steps_share",)),
    "B-03": Proxy(at_rate(BN, 30), at_rate(PLAIN, 1), ("speedup",)),
    # The arm that should learn is the reference: its accuracy is gated, the other's is the claim.
    "B-04": Proxy(
        at_rate(PLAIN, 25), at_rate(BN, 25), ("reference_stalled", "treated_stalled"), seeds=FIVE_SEEDS
    ),
    "B-05": Proxy(at_rate(SIGMOID, 5), at_rate(SIGMOID_BN, 5), ("reference_final", "treated_final")),
    "B-15": Proxy(V1, DROPPED, ("final",)),
    "G-06": Proxy(DROPPED, V1, ("final",)),
    "S4-06": Proxy(Arm("googlenet_naive@projection", {"batch_norm": True}), V1, ("final",)),
    "S4-07": Proxy(AUX_V1, V1, ("final",)),
    "R-15": Proxy(AUX_V3, V3, ("early",), input_size=75),
    "R-16": Proxy(AUX_V1, replace(AUX_V1, changes={"aux_at": "Mixed_4e"}), ("final",)),
    "R-25": Proxy(with_recipe(V3, label_smoothing=0.1), V3, ("final",), input_size=75),
    # The arm without clipping is the treated one: more of its runs should fail.
    "R-31": Proxy(
        RMSPROP, with_recipe(RMSPROP, clip=2.0), ("stalled_more",), input_size=75, seeds=FIVE_SEEDS
    ),
    "R-32": Proxy(replace(V1, width_mult=0.5), V1, ("loss_saved",)),
    "I-05": Proxy(RESIDUAL, V3, ("speedup",), input_size=75),
    "I-06": Proxy(RESIDUAL, V3, ("final",), input_size=75),
    # Full width: 1,792 filters in the last sums, as the claim wants more than 1,000.
    "I-07": Proxy(WIDE, SCALED, ("dead_more",), input_size=75, steps=120),
    "I-09": Proxy(with_recipe(WIDE, rate=1e-5), SCALED, ("dead_more",), input_size=75, steps=120),
}  # fmt: skip
