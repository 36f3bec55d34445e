"""Our networks against the public ones: layer by layer, and logits under the same weights."""

from functools import cache

import pytest
import torch
from parity_references import (
    REFERENCES,
    Reference,
    copy_to_keras,
    keras_error,
    keras_listing,
    keras_model,
    library,
    operations,
    parity_error,
    photographs,
    signal_keeping,
)
from table_faults import FAULTS, padding_counted

from inception_bench.models.network import build
from inception_bench.models.public import create_model, find_table
from inception_bench.models.weights.signal import keep_signal

EXACT = 1e-9  # of the spread between two photographs, in float64
FP32 = 1e-4
# Sizes at which every grid is wider than one cell. (BN-Inception's in Caffe's padding need even grids.)
SMALL = {224: 96, 299: 139}
ids = {"ids": str}


def size_of(reference: Reference) -> int:
    table = find_table(reference.address)
    return table.input_size if table.native_only else SMALL[table.input_size]


@cache
def weighted(reference: Reference) -> torch.nn.Module:
    return signal_keeping(reference, find_table(reference.address), size_of(reference))


@pytest.mark.parametrize("reference", REFERENCES, **ids)
def test_layers_are_the_references(reference):
    """The same (weight shape, output shape), as often, among all convolutions and linear layers."""
    table = find_table(reference.address)
    with torch.device("meta"):
        theirs, ours = operations(reference.make(), table.input_size), operations(build(table), table.input_size)
    if reference.source == "facenet":  # compared up to the pooled features
        ours -= {((1000, 1792), (1000,)): 1}
        ours = +ours
    assert ours == theirs


@pytest.mark.slow
@pytest.mark.parametrize("reference", REFERENCES, **ids)
def test_logits_are_the_references(reference, record_property):
    table, model = find_table(reference.address), weighted(reference)
    in_float32 = parity_error(table, reference, model.float(), size_of(reference))
    in_float64 = parity_error(table, reference, model.double(), size_of(reference))
    model.float()
    record_property("parity_error_fp32", in_float32)
    record_property("parity_error_fp64", in_float64)
    print(f"{reference}: fp32 {in_float32:.1e}, float64 {in_float64:.1e}")
    assert in_float64 <= EXACT
    assert in_float32 <= FP32


# One reference a network, with the faults that its table has a place for.
FAULTY = [
    (REFERENCES[0], ("wrong_kernel", "wrong_pool", "branch_order")),
    (REFERENCES[1], ("wrong_kernel", "turned_kernel", "wrong_pool", "padding_counted", "branch_order")),
    (REFERENCES[3], ("wrong_kernel", "turned_kernel", "wrong_pool", "padding_counted", "branch_order")),
    (REFERENCES[5], ("wrong_kernel", "turned_kernel", "wrong_pool", "padding_counted", "branch_order")),
    (REFERENCES[7], ("wrong_kernel", "wrong_pool", "padding_counted", "branch_order")),
    (REFERENCES[8], ("wrong_kernel", "turned_kernel", "wrong_pool", "branch_order")),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "fault"), [(reference, fault) for reference, faults in FAULTY for fault in faults], **ids
)
def test_a_wrong_table_is_seen(reference, fault):
    wrong = FAULTS[fault](find_table(reference.address))
    size = size_of(reference)
    error = parity_error(wrong, reference, weighted(reference).float(), size)
    assert error > 100 * FP32  # so float32 tells, and float64 all the more


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "heads"),
    [
        (REFERENCES[0], {"Mixed_4b": "aux1", "Mixed_4e": "aux2"}),
        (REFERENCES[1], {"Mixed_6e": "AuxLogits"}),
    ],
    **ids,
)
def test_aux_heads_are_torchvisions(reference, heads, tmp_path):
    """At native size, each head on the same map."""
    table, model = find_table(reference.address), reference.make().eval()
    torch.save(model.state_dict(), tmp_path / "reference.pt")
    ours = create_model(reference.address, aux=True).eval()
    from inception_bench.models.weights.checkpoint import load_checkpoint

    load_checkpoint(ours, tmp_path / "reference.pt")
    images = photographs(table, table.input_size)
    with torch.no_grad():
        maps, (logits, aux) = ours.forward_rows(images), ours.forward_aux(images)
        for at, name in heads.items():
            want = getattr(model, name)(maps[at])
            assert (aux[at] - want).abs().max() <= 1e-5 * want.abs().max()
    assert list(aux) == list(heads)
    assert logits.shape == (2, 1000)


KERAS = [
    ("inception_v3", lambda **rest: library("keras").applications.InceptionV3(**rest), 107),
    ("inception_resnet_v2", lambda **rest: library("keras").applications.InceptionResNetV2(**rest), 107),
    ("googlenet_uniform@printed", keras_listing, 75),  # an odd size: "same" padding falls on both sides
]


@cache
def in_keras(address: str):
    """Our network with signal-keeping weights, Keras' with the same, and the size of the images."""
    size, make = next((size, make) for known, make, size in KERAS if known == address)
    ours = create_model(address)
    keep_signal(ours, photographs(ours.plan.table, size))
    model, made = keras_model(make, input_shape=(size, size, 3))
    copy_to_keras(ours.double(), model, made)
    return ours, model, size


@pytest.mark.slow
@pytest.mark.parametrize("address", [address for address, _, _ in KERAS])
def test_logits_are_keras(address):
    ours, model, size = in_keras(address)
    assert keras_error(ours, model, size) <= EXACT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("inception_v3", padding_counted),
        ("inception_resnet_v2", padding_counted),
        ("googlenet_uniform@printed", FAULTS["wrong_pool"]),
    ],
)
def test_a_wrong_table_is_seen_by_keras(address, fault):
    ours, model, size = in_keras(address)
    wrong = build(fault(ours.plan.table)).double()
    wrong.load_state_dict(ours.state_dict())
    assert keras_error(wrong.eval(), model, size) > 100 * FP32


def test_the_listing_has_keras_count_of_parameters():
    """7,738,728 trainable: Keras counts as torch does."""
    model, _ = keras_model(keras_listing, input_shape=(224, 224, 3))
    assert sum(int(torch.tensor(weight.shape).prod()) for weight in model.trainable_weights) == 7_738_728
