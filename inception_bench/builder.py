"""``python -m inception_bench.builder``: the process that has torch and the networks' code.

It makes what workers load: weights, the float64 reference, and each backend's artifact. A crash
here costs the cell that asked.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inception_bench.backends.base import Network as BuildInput
from inception_bench.data.photographs import parity_images
from inception_bench.models.catalogue import find_table
from inception_bench.models.counters import count
from inception_bench.models.mutations import mutation_errors
from inception_bench.models.network import create_model
from inception_bench.models.signal import keep_signal
from inception_bench.models.stored import load_network, save_network
from inception_bench.service import Answer, serve

IMAGES, LOGITS, FACTS = "images.npy", "logits.npy", "facts.json"
# Mutations are looked at on the first images only: fewer images can only make a fault look smaller.
MUTATION_IMAGES = 4


def make_weights(message: dict[str, Any]) -> Answer:
    """Signal-keeping weights of a network, calibrated at the case's input size."""
    table = find_table(message["address"])
    images = torch.from_numpy(parity_images(message["input_size"], table.preprocessing))
    model = create_model(message["address"], width_mult=message["width_mult"], num_classes=message["num_classes"])
    keep_signal(model, images)
    save_network(model, message["address"], message["width_mult"], message["num_classes"], Path(message["folder"]))
    return {}, []


def make_reference(message: dict[str, Any]) -> Answer:
    """The images, eager float64's logits, their least spread, and what each mutation does to them."""
    folder, table = Path(message["folder"]), find_table(message["address"])
    images = parity_images(message["input_size"], table.preprocessing)
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
    """Of all pairs of images (rows), the smallest of their largest absolute logit differences."""
    pairs = np.abs(logits[:, None] - logits[None]).max(-1)
    return float(pairs[~np.eye(len(logits), dtype=bool)].min())


def make_artifact(message: dict[str, Any]) -> Answer:
    """What a backend exports."""
    module, _, attribute = message["backend"].partition(":")
    backend = getattr(import_module(module), attribute)
    images = np.load(message["images"])
    batch = images[np.arange(message["batch_size"]) % len(images)]
    network = BuildInput(load_network(Path(message["weights"])), torch.from_numpy(batch), message["precision"])
    backend.build(network, Path(message["folder"]))
    return {}, []


def count_network(message: dict[str, Any]) -> Answer:
    """Params and MACs of the built module, by fvcore and by FlopCounterMode."""
    table = find_table(message["address"])
    size = message["input_size"]
    image = torch.from_numpy(parity_images(size, table.preprocessing)[:1])
    model = create_model(message["address"], width_mult=message["width_mult"], num_classes=message["num_classes"])
    counted = count(model, image)
    facts = vars(counted)
    if table.aux:
        with torch.device("meta"):
            whole = create_model(
                message["address"], num_classes=message["num_classes"], aux=True, width_mult=message["width_mult"]
            )
        facts = {**facts, "params_with_aux": sum(parameter.numel() for parameter in whole.parameters())}
    return facts, []


def set_threads(message: dict[str, Any]) -> Answer:
    """How many threads building may use."""
    torch.set_num_threads(message["threads"])
    return {}, []


def main() -> None:
    """Answer the coordinator until it hangs up."""
    serve(
        {
            "threads": set_threads,
            "weights": make_weights,
            "reference": make_reference,
            "artifact": make_artifact,
            "count": count_network,
        }
    )


if __name__ == "__main__":
    main()
