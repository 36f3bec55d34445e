"""A checkpoint: how far training is, in one safetensors file that appears whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from inception_bench.errors import UsageError
from inception_bench.store.versions import NewerVersionError, check_version

FILE = "checkpoint.safetensors"
VERSION = 1
SHOWN = 3  # how many differences an error names


@dataclass(frozen=True)
class Position:
    """How far training is: how many steps are done, and how many seconds they took."""

    step: int
    train_s: float


@dataclass(frozen=True)
class State:
    """The objects whose tensors a checkpoint holds. ``average`` is None without averaging."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: nn.Module | None

    def tensors(self) -> dict[str, Tensor]:
        named = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            named |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for index, slots in self.optimiser.state_dict()["state"].items():
            named |= {f"optimiser.{index}.{slot}": value for slot, value in slots.items() if value is not None}
        return {name: tensor.contiguous() for name, tensor in named.items()}

    def fill(self, tensors: Mapping[str, Tensor]) -> None:
        self.network.load_state_dict(_under("network.", tensors))
        if self.average is not None:
            self.average.load_state_dict(_under("average.", tensors))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimiser.", tensors).items():
            index, slot = name.split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": slots, "param_groups": groups})
        for weight, filled in self.optimiser.state.items():
            for slot, value in filled.items():  # laid out in memory as the weight is
                filled[slot] = torch.empty_like(weight).copy_(value)


def save_checkpoint(path: Path, state: State, position: Position, identity: Mapping[str, Any]) -> None:
    """Write a new file beside ``path``, wait until it is on the disk, then let it take the place of ``path``.

    ``identity`` (plain JSON values) says of which job the checkpoint is. Raises UsageError where the file cannot be
    written, for example because the disk is full.
    """
    facts = {"version": str(VERSION), "identity": json.dumps(identity)}
    facts |= {"step": str(position.step), "train_s": repr(position.train_s)}
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("wb") as stream:
            stream.write(save(state.tensors(), facts))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise UsageError(
            f"checkpoint {path} cannot be written ({error.strerror}); {_kept(path)}; make room and start again"
        ) from error


def load_checkpoint(path: Path, state: State, identity: Mapping[str, Any]) -> Position:
    """Fill ``state`` from ``path`` and return how far that training is; step 0 where there is no file.

    Raises UsageError for a file that cannot be read, one of a later version, and one whose ``identity`` is another (the
    message names what differs).
    """
    if not path.exists():
        return Position(0, 0.0)
    position, theirs = _read_facts(path)
    differences = _differences(theirs, json.loads(json.dumps(identity)))
    if differences:
        raise UsageError(
            f"{path} is of another job: {'; '.join(differences[:SHOWN])}; give another folder, or delete that file"
        )
    state.fill(load_file(path))
    return position


def _read_facts(path: Path) -> tuple[Position, dict[str, Any]]:
    try:
        with safe_open(path, "pt") as stored:
            facts = stored.metadata()
        version = int(facts["version"]) if "version" in facts else None
        check_version(path, version, VERSION, "delete it to start from the beginning")
        return Position(int(facts["step"]), float(facts["train_s"])), json.loads(facts["identity"])
    except NewerVersionError:
        raise
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"checkpoint {path} cannot be read ({error}); delete it to start from the beginning") from None


def _differences(theirs: Any, ours: Any, where: str = "") -> list[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = [*ours, *(name for name in theirs if name not in ours)]
        return [
            text
            for name in names
            for text in _differences(theirs.get(name), ours.get(name), f"{where}.{name}" if where else name)
        ]
    return [] if theirs == ours else [f"{where} is {json.dumps(theirs)} there, {json.dumps(ours)} here"]


def _kept(path: Path) -> str:
    if not path.exists():
        return "there is no older one"
    position, _ = _read_facts(path)
    return f"the one of step {position.step} is still there"


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
