"""The public networks that ours are compared with, and how layers and weights are read off them.

The libraries come with the extra ``parity`` and tests/parity-requirements.txt; a test that needs one
which is not installed is skipped here and nowhere else.
"""

import importlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import pytest
import torch
from torch import nn

from inception_bench.data.photographs import parity_images
from inception_bench.models.network import Network, build
from inception_bench.models.table import Table
from inception_bench.models.weights.checkpoint import CheckpointError, load_tensors
from inception_bench.models.weights.checkpoint_names import slots
from inception_bench.models.weights.signal import keep_signal

os.environ.setdefault("KERAS_BACKEND", "torch")
_OPERATORS: list[torch.library.Library] = []


def library(name: str):
    """Import a library of the parity extra.

    torchvision from the package index is built for CUDA: beside a CPU torch its compiled operators do
    not load, and its import fails on the two that it registers shapes for. Its networks need none. A training in the
    same process may have declared them before.
    """
    if not hasattr(torch.ops.torchvision, "nms"):
        _OPERATORS.append(torch.library.Library("torchvision", "DEF"))
        _OPERATORS[0].define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _OPERATORS[0].define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # Where the project's own checks run, a library that is absent is a fault and no reason to skip.
    return importlib.import_module(name) if os.environ.get("CI") else pytest.importorskip(name)


@dataclass(frozen=True)
class Reference:
    """A public network and the address that it is compared with."""

    address: str
    source: str
    make: Callable[[], nn.Module]
    in_order: bool = False  # its checkpoint names are not known to us: weights are copied in order

    def __str__(self) -> str:
        return f"{self.address}-{self.source}"


def _torchvision(name: str, **options) -> Callable[[], nn.Module]:
    return lambda: getattr(library("torchvision.models"), name)(weights=None, **options)


def _timm(name: str) -> Callable[[], nn.Module]:
    def make():
        library("torchvision")
        return library("timm").create_model(name)

    return make


def _cadene(name: str) -> Callable[[], nn.Module]:
    def make():
        library("torchvision")
        model = getattr(library("pretrainedmodels"), name)(pretrained=None)
        for pool in ("avg_pool", "avgpool_1a", "global_pool"):
            if hasattr(model, pool):  # over 8x8 or 7x7 whatever comes: native size only, or the mean over the map
                setattr(model, pool, nn.AdaptiveAvgPool2d(1))
        return model

    return make


def _facenet() -> nn.Module:
    library("torchvision")
    trunk = library("facenet_pytorch").InceptionResnetV1()
    # Its classifier is an embedding of faces; the trunk is compared through its pooled features.
    return nn.Sequential(
        *(module for name, module in trunk.named_children() if name not in ("dropout", "last_linear", "last_bn")),
        nn.Flatten(1),
    )


REFERENCES = [
    Reference("googlenet@torchvision", "torchvision", _torchvision("googlenet", init_weights=False, aux_logits=True)),
    Reference("inception_v3@torchvision", "torchvision", _torchvision("inception_v3", init_weights=False)),
    Reference("inception_v3@torchvision", "timm", _timm("inception_v3")),
    Reference("inception_v4@timm", "timm", _timm("inception_v4")),
    Reference("inception_v4@timm", "cadene", _cadene("inceptionv4")),
    Reference("inception_resnet_v2", "timm", _timm("inception_resnet_v2")),
    Reference("inception_resnet_v2", "cadene", _cadene("inceptionresnetv2")),
    Reference("bn_inception@cadene", "cadene", _cadene("bninception")),
    Reference("inception_resnet_v1@facenet", "facenet", _facenet, in_order=True),
    Reference("vgg16", "torchvision", _torchvision("vgg16"), in_order=True),
    Reference("resnet50", "torchvision", _torchvision("resnet50"), in_order=True),
    Reference("resnet152", "torchvision", _torchvision("resnet152"), in_order=True),
]


def operations(model: nn.Module, size: int) -> Counter:
    """How often each (weight shape, output shape without batch) occurs among convolutions and linear layers run."""
    seen: Counter = Counter()

    def note(module, _, output):
        seen[tuple(module.weight.shape), tuple(output.shape[1:])] += 1

    handles = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    device = next(model.parameters()).device
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size, device=device))
    for handle in handles:
        handle.remove()
    return seen


def signal_keeping(reference: Reference, table: Table, size: int) -> nn.Module:
    """The reference with signal-keeping weights, calibrated on two photographs."""
    model = reference.make()
    keep_signal(model, photographs(table, size))
    return model


def photographs(table: Table, size: int) -> torch.Tensor:
    return torch.from_numpy(parity_images(size, table.preprocessing)[:2])


def with_weights_of(model: nn.Module, reference: Reference, table: Table) -> Network:
    """Our network from ``table`` with the reference's weights, by the names of its checkpoint or in order."""
    with torch.device("meta"):
        ours = build(table)
    if not reference.in_order:
        load_tensors(ours, model.state_dict(), str(reference))
        return ours.eval()
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    theirs = [module for module in model.modules() if isinstance(module, kinds)]
    own = [module for module in ours.modules() if isinstance(module, kinds)]
    for mine, other in zip(own, theirs, strict=False):
        mine.load_state_dict(other.state_dict(), assign=True)
    return ours.eval()


def parity_error(table: Table, reference: Reference, model: nn.Module, size: int) -> float:
    """Largest difference of logits over the spread of two photographs, in the model's own precision.

    Infinite where the weights do not fit.
    """
    try:
        ours = with_weights_of(model, reference, table)
    except (CheckpointError, RuntimeError):
        return float("inf")
    if reference.source == "facenet":
        ours.classifier = ours.classifier[:2]
    images = photographs(table, size).to(next(model.parameters()).dtype)
    with torch.no_grad():
        want, got = model(images), ours(images)
    spread = (want[0] - want[1]).abs().max()
    return float((want - got).abs().max() / spread)


def keras_model(make: Callable, **options):
    """A Keras model in float64 and its convolutions in the order in which they were made."""
    keras = library("keras")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    made = []
    build_convolution = keras.layers.Conv2D.build

    def note(layer, shape):
        made.append(layer)
        return build_convolution(layer, shape)

    with mock.patch.object(keras.layers.Conv2D, "build", note):
        model = make(weights=None, classifier_activation=None, **options)
    return model, made


def keras_listing(weights: None, classifier_activation: None, input_shape: tuple[int, int, int]):
    """The tutorial's listing: all branches of a module equally wide, its "5x5" with a kernel of 1x1."""
    keras = library("keras")
    layers = keras.layers

    def convolve(x, filters: int, kernel: int, strides: int = 1):
        x = layers.Conv2D(filters, kernel, strides=strides, padding="same", activation="relu")(x)
        return layers.BatchNormalization()(x)

    def module(x, width: int):
        pooled = layers.MaxPooling2D(3, strides=1, padding="same")
        one = convolve(x, width, 1)
        three = convolve(convolve(x, width, 1), width, 3)
        five = convolve(convolve(x, width, 1), width, 1)
        return layers.concatenate([one, three, five, convolve(pooled(x), width, 1)])

    def halve(x):
        return layers.MaxPooling2D(3, strides=2, padding="same")(x)

    inputs = layers.Input(input_shape)
    x = halve(convolve(halve(convolve(inputs, 64, 7, 2)), 192, 3))
    for widths in ((64, 120), (128, 128, 128, 132, 208), (208, 256)):
        x = halve(x) if widths[0] != 64 else x
        for width in widths:
            x = module(x, width)
    x = layers.AveragePooling2D(7, strides=7, padding="same")(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(inputs, layers.Dense(1000)(layers.Dense(1000, activation="relu")(x)))


def copy_to_keras(ours: Network, model, made: list) -> None:
    """Give a Keras model our weights: its convolutions in the order of our rows, then its dense layers.

    Its batch norms have no scale where the code says so; ours is then 1.
    """
    keras = library("keras")
    for slot, convolution in zip(slots(ours.plan), made, strict=True):
        block = ours.get_submodule(slot.prefix)
        _set(
            convolution,
            [block.conv.weight.permute(2, 3, 1, 0), *([] if block.conv.bias is None else [block.conv.bias])],
        )
        after = convolution._outbound_nodes[0].operation
        if isinstance(after, keras.layers.BatchNormalization):
            scale = [block.norm.weight] if after.scale else []
            _set(after, [*scale, block.norm.bias, block.norm.running_mean, block.norm.running_var])
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    for mine, layer in zip((m for m in ours.modules() if isinstance(m, nn.Linear)), dense, strict=True):
        _set(layer, [mine.weight.t(), mine.bias])


def keras_error(ours: Network, model, size: int) -> float:
    """As ``parity_error``, with our network in float64 and a Keras model that has its weights."""
    images = photographs(ours.plan.table, size).double()
    # Keras' batch norm and products compute in float32 whatever comes, unless its rule of promotion says otherwise.
    in_norms = mock.patch("keras.src.backend.result_type", return_value="float64")
    in_products = mock.patch("keras.src.backend.common.dtypes.result_type", return_value="float64")
    with torch.no_grad(), in_norms, in_products:
        got = ours(images)
        want = model(images.permute(0, 2, 3, 1)).reshape(2, -1)
    return float((want - got).abs().max() / (want[0] - want[1]).abs().max())


def _set(layer, tensors: list[torch.Tensor]) -> None:
    layer.set_weights([tensor.detach().numpy() for tensor in tensors])
