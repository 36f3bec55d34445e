"""``inception-bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_bench.cli.cache import kept_small


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A network: name or name@definition.")],
    to: Annotated[str, typer.Option(help="onnx, torchscript, aot_inductor, openvino, tensorrt or tensorrt_rtx.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the file goes.")],
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: the format's usual one.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, tf32, bf16 or fp16.")] = "fp32",
    batch_size: Annotated[int, typer.Option(help="Images a call.")] = 1,
    input_size: Annotated[int | None, typer.Option(help="Pixels a side; default: native.")] = None,
    width_mult: Annotated[float, typer.Option(help="Filter multiplier.")] = 1.0,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="The runtime's own: target=sm89, batch=dynamic.")
    ] = None,
) -> None:
    """Write a network, with signal-keeping weights, as a file of a runtime."""
    from inception_bench.measure.export import Order
    from inception_bench.measure.export import export as write

    order = Order(model, to, device, precision, batch_size, input_size, width_mult, tuple(option or ()))
    with kept_small():
        artifact = write(order, output)
    typer.echo(f"written: {output} ({output.stat().st_size:,} bytes, built in {artifact.build_s:.1f} s)")
