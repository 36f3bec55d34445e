"""``python -m inception_bench.builder``: the process that has torch and the networks' code.

It makes what workers load: weights, the float64 reference, and each backend's artifact. A crash
of this process costs only the cell that asked.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inception_bench.backends.base import Network as BuildInput
from inception_bench.backends.refusal import refusals, require
from inception_bench.backends.registry import resolve
from inception_bench.data.maps import network_images
from inception_bench.data.photographs import fill_batch
from inception_bench.machine.environment import usable_cores
from inception_bench.models.counters import count
from inception_bench.models.mutations import mutation_errors, row_mutation_errors
from inception_bench.models.public import create_model, find_table
from inception_bench.models.weights.checkpoint import load_checkpoint
from inception_bench.models.weights.hub import fetch
from inception_bench.models.weights.rows import load_for
from inception_bench.models.weights.signal import keep_signal
from inception_bench.models.weights.stored import load_network, save_network
from inception_bench.processes.service import Answer, serve

IMAGES, LOGITS, FACTS = "images.npy", "logits.npy", "facts.json"
# Mutations are tried on the first images only: on fewer images a fault can only look smaller.
MUTATION_IMAGES = 4
# Comparing row by row moves every map of a network; two images, one of each photograph, keep that small.
ROW_IMAGES = 2
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Let torch use ``threads`` for a while."""
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def make_weights(message: dict[str, Any]) -> Answer:
    """Store the weights of a file or a public name, else signal-keeping weights, calibrated at the input size.

    Calibrated with one thread: the number of threads decides in which order numbers are added, and so the last bits.
    The weights, and all that is kept by their hash, are thus the same on every machine and however busy a run is.
    """
    table = find_table(message["address"])
    model = create_model(message["address"], width_mult=message["width_mult"], num_classes=message["num_classes"])
    given = message.get("given")
    if given is None:
        with computing_with(1):
            keep_signal(model, torch.from_numpy(network_images(table, message["input_size"])))
    else:
        load_checkpoint(model, given if Path(given).is_file() else fetch(given))
    save_network(model, message["address"], message["width_mult"], message["num_classes"], Path(message["folder"]))
    return {}, []


def make_images(message: dict[str, Any]) -> Answer:
    """Store the images alone, without a reference."""
    table = find_table(message["address"])
    np.save(Path(message["folder"]) / IMAGES, network_images(table, message["input_size"]))
    return {}, []


def make_reference(message: dict[str, Any]) -> Answer:
    """Store the images, the logits of eager float64 on them, their least spread, and the error of each mutation.

    Raises ArithmeticError where the logits do not depend on the image.
    """
    folder, table = Path(message["folder"]), find_table(message["address"])
    images = network_images(table, message["input_size"])
    model = load_network(Path(message["weights"]))
    with torch.inference_mode():
        logits = model.double()(torch.from_numpy(images).double()).numpy()
    spread = least_spread(logits)
    if not spread > 0 or not np.isfinite(logits).all():
        raise ArithmeticError(
            f"{message['address']}: the reference's logits do not depend on the image (spread {spread})"
        )
    errors = mutation_errors(model.float(), torch.from_numpy(images[:MUTATION_IMAGES]), spread)
    np.save(folder / IMAGES, images)
    np.save(folder / LOGITS, logits)
    (folder / FACTS).write_text(json.dumps({"spread": spread, "mutations": errors}))
    return {}, []


def least_spread(logits: np.ndarray) -> float:
    """How far the two most similar images lie apart in ``logits`` (images, classes).

    The distance of two images is the largest absolute difference of a logit between them.
    """
    pairs = np.abs(logits[:, None] - logits[None]).max(-1)
    return float(pairs[~np.eye(len(logits), dtype=bool)].min())


def make_rounding(message: dict[str, Any]) -> Answer:
    """Store how far eager in a precision is from the float64 logits: the largest absolute difference of a logit."""
    dtype = _DTYPES[message["precision"]]
    model = load_network(Path(message["weights"])).to(dtype)
    images = torch.from_numpy(np.load(Path(message["reference"]) / IMAGES))
    with torch.inference_mode():
        logits = model(images.to(dtype)).double().numpy()
    error = float(np.abs(logits - np.load(Path(message["reference"]) / LOGITS)).max())
    (Path(message["folder"]) / FACTS).write_text(json.dumps({"error": error}))
    return {}, []


def make_row_reference(message: dict[str, Any]) -> Answer:
    """Store every end point in float64, with its spread, the error of rounding there, and that of each mutation."""
    folder, dtype = Path(message["folder"]), _DTYPES[message["precision"]]
    images = torch.from_numpy(np.load(Path(message["reference"]) / IMAGES)[:ROW_IMAGES])
    with torch.inference_mode():
        exact = load_network(Path(message["weights"])).double().forward_rows(images.double())
        coarse = load_network(Path(message["weights"])).to(dtype).forward_rows(images.to(dtype))
    spreads = {name: float((end_point[0] - end_point[1]).abs().max()) for name, end_point in exact.items()}
    faults = row_mutation_errors(load_network(Path(message["weights"])), images, spreads)
    scales = [
        {
            "name": name,
            "values": end_point[0].numel(),
            "spread": spreads[name],
            "rounding": float((coarse[name].double() - end_point).abs().max()) / spreads[name],
            "mutations": faults[name],
        }
        for name, end_point in exact.items()
    ]
    np.save(folder / IMAGES, images.numpy())
    np.save(folder / LOGITS, np.concatenate([end_point.flatten(1).float().numpy() for end_point in exact.values()], 1))
    (folder / FACTS).write_text(json.dumps({"scales": scales}))
    return {}, []


def ask_refusals(message: dict[str, Any]) -> Answer:
    """What a backend whose engine this interpreter has cannot do on a device; nothing where it can do everything."""
    return {"refusals": refusals(resolve(message["backend"]), message["device"])}, []


def make_artifact(message: dict[str, Any]) -> Answer:
    """Let a backend export the network, or with ``rows`` the network that returns every end point.

    A graph that several engines share has no device (an empty text), so no engine is asked whether it refuses.
    """
    backend: Any = resolve(message["backend"])
    if message["device"]:
        require(backend, message["device"], message["precision"])
    images = np.load(message["images"])
    batch = torch.from_numpy(fill_batch(images, message["batch_size"]))
    model = load_for(Path(message["weights"]), rows=message["rows"])
    network = BuildInput(model, batch, message["precision"], message["device"], message["options"])
    try:
        # What is built must not depend on what is built beside it: inductor writes the number of threads into its code.
        threads = usable_cores() if getattr(backend, "writes_threads", False) else torch.get_num_threads()
        with computing_with(threads):
            backend.build(network, Path(message["folder"]))
    finally:
        if message["device"] == "cuda":
            del network, model
            free_device_memory()
    return {}, []


def free_device_memory() -> None:
    """Give the GPU's memory back after an export: a small card needs it for the workers that load what was built."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def count_network(message: dict[str, Any]) -> Answer:
    """Params and MACs of the built module, by fvcore and by FlopCounterMode."""
    table = find_table(message["address"])
    size = message["input_size"]
    image = torch.from_numpy(network_images(table, size)[:1])
    model = create_model(message["address"], width_mult=message["width_mult"], num_classes=message["num_classes"])
    counted = count(model, image)
    if table.aux:
        with torch.device("meta"):
            with_aux = create_model(
                message["address"], num_classes=message["num_classes"], aux=True, width_mult=message["width_mult"]
            )
        counted = replace(counted, params_with_aux=sum(parameter.numel() for parameter in with_aux.parameters()))
    return counted.to_json(), []


def set_threads(message: dict[str, Any]) -> Answer:
    """Set how many threads building may use."""
    torch.set_num_threads(message["threads"])
    return {}, []


def main() -> None:
    """Answer the coordinator until it hangs up."""
    serve(
        {
            "threads": set_threads,
            "weights": make_weights,
            "images": make_images,
            "reference": make_reference,
            "rounding": make_rounding,
            "row_reference": make_row_reference,
            "refusals": ask_refusals,
            "artifact": make_artifact,
            "count": count_network,
        }
    )


if __name__ == "__main__":
    main()
