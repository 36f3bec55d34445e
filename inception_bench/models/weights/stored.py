"""A network on disk: its address and width in ``network.json``, its weights in safetensors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from inception_bench.models.changes import Changes
from inception_bench.models.network import Network
from inception_bench.models.public import create_model
from inception_bench.models.weights.description import read_description, write_description

WEIGHTS = "weights.safetensors"


def save_network(
    model: Network,
    address: str,
    width_mult: float,
    num_classes: int,
    folder: Path,
    changes: Changes | None = None,
) -> None:
    """Write ``model`` (without aux heads) and what is needed to build it again, with its ``changes``."""
    description: dict[str, Any] = {"address": address, "width_mult": width_mult, "num_classes": num_classes}
    if changes is not None:
        description["changes"] = {name: value for name, value in asdict(changes).items() if value is not None}
    write_description(folder, description)
    save_file(model.state_dict(), str(folder / WEIGHTS))


def load_network(folder: Path) -> Network:
    """Build the network that ``folder`` describes, with its weights, in evaluation mode.

    Raises UsageError for a description of a later version.
    """
    description = read_description(folder)
    with torch.device("meta"):  # no time and memory for weights that are replaced at once
        model = create_model(
            description["address"],
            width_mult=description["width_mult"],
            num_classes=description["num_classes"],
            changes=Changes(**description["changes"]) if "changes" in description else None,
        )
    model.load_state_dict(load_file(str(folder / WEIGHTS)), assign=True)
    return model.requires_grad_(False).eval()
