"""Networks to compare with: AlexNet and VGG-16 (the papers' claims name them), ResNet-50 and ResNet-152.

They take their native size and width 1 only. AlexNet is the grouped network of the paper and of the
released prototxt (227 pixels; the paper prints 224, which its first grid of 55 does not allow). The
ResNets are torchvision's "v1.5": the stride of a stage stands in its first 3x3, not in the 1x1.
"""

from __future__ import annotations

from inception_bench.models.printed import Printed, Published
from inception_bench.models.table import Head, Paper, Preprocessing, Row, Style, Table
from inception_bench.models.tables.googlenet import PREPROCESSING

TORCHVISION = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
FULLY_CONNECTED = Head(hidden=(4096, 4096), hidden_dropout=0.5, pool=False)

ALEXNET = Table(
    name="alexnet",
    definition="",
    paper=Paper("ImageNet Classification with Deep Convolutional Neural Networks", "NIPS 2012", 2012),
    style=Style(bias=True, norm_eps=None),
    preprocessing=PREPROCESSING,
    input_size=227,
    least_input=227,
    native_only=True,
    head=FULLY_CONNECTED,
    printed=Printed(params=60e6),
    published=Published(0.593, 0.818, "NIPS 2012, Table 2, one network (40.7 % and 18.2 % error)"),
    rows={
        "Conv_1": Row("11x11/4V:96 lrn max3x3/2V", paper="first layer"),
        "Conv_2": Row("5x5:256g2 lrn max3x3/2V", paper="second layer"),
        "Conv_3": Row("3x3:384", paper="third layer"),
        "Conv_4": Row("3x3:384g2", paper="fourth layer"),
        "Conv_5": Row("3x3:256g2 max3x3/2V", paper="fifth layer"),
    },
)


def vgg(*widths: int) -> Row:
    """A stage of 3x3 convolutions and its pool."""
    return Row(" ".join(f"3x3:{width}" for width in widths) + " max2x2/2V", paper=f"conv3-{widths[0]}")


VGG16 = Table(
    name="vgg16",
    definition="",
    paper=Paper("Very Deep Convolutional Networks for Large-Scale Image Recognition", "arXiv:1409.1556", 2014),
    style=Style(bias=True, norm_eps=None),
    preprocessing=TORCHVISION,
    input_size=224,
    least_input=224,
    native_only=True,
    head=FULLY_CONNECTED,
    printed=Printed(params=138e6),
    published=Published(0.71592, 0.90382, "torchvision, VGG16_Weights.IMAGENET1K_V1"),
    rows={
        "Stage_1": vgg(64, 64),
        "Stage_2": vgg(128, 128),
        "Stage_3": vgg(256, 256, 256),
        "Stage_4": vgg(512, 512, 512),
        "Stage_5": vgg(512, 512, 512),
    },
)


def resnet(depth: int, blocks: tuple[int, int, int, int], published: Published, macs: float) -> Table:
    """A bottleneck ResNet by the number of blocks in its four stages (arXiv:1512.03385, Table 1)."""
    rows = {"Conv_1": Row("7x7/2:64", paper="conv1"), "MaxPool_1": Row("max3x3/2", paper="conv2_x, max pool")}
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for block in range(count):
            stride = "/2" if stage and not block else ""
            shortcut = "" if block else f"1x1{stride}:{4 * width}N"
            line = f"1x1:{width} 3x3{stride}:{width} 1x1:{4 * width}N"
            rows[f"Block_{stage + 2}_{block + 1}"] = Row(line, shortcut=shortcut, paper=f"conv{stage + 2}_x")
    return Table(
        name=f"resnet{depth}",
        definition="",
        paper=Paper("Deep Residual Learning for Image Recognition", "arXiv:1512.03385", 2015),
        style=Style(bias=False, norm_eps=1e-5),
        preprocessing=TORCHVISION,
        input_size=224,
        least_input=224,
        native_only=True,
        printed=Printed(macs=macs),
        published=published,
        rows=rows,
    )


RESNET50 = resnet(50, (3, 4, 6, 3), Published(0.76130, 0.92862, "torchvision, ResNet50_Weights.IMAGENET1K_V1"), 3.8e9)
RESNET152 = resnet(
    152, (3, 8, 36, 3), Published(0.78312, 0.94046, "torchvision, ResNet152_Weights.IMAGENET1K_V1"), 11.3e9
)
