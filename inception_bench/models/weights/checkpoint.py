"""Weights from files: our own, and those of torchvision, timm, Cadene and facenet-pytorch."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from inception_bench.errors import UsageError
from inception_bench.models.plan import Plan, make_plan
from inception_bench.models.public import tables
from inception_bench.models.table import Table
from inception_bench.models.weights.checkpoint_names import Entry, Naming, entries
from inception_bench.models.weights.namings import namings

if TYPE_CHECKING:
    from inception_bench.models.network import Network

SHOWN = 3  # how many keys an error names


class CheckpointError(UsageError):
    """A file that does not fit the network; the message names keys, and the definition that fits."""


@dataclass(frozen=True)
class Loaded:
    """What was loaded: whose names the file uses, how many tensors were filled, and which modules stay as they were."""

    source: str
    tensors: int
    untouched: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Match:
    """A file held against one naming of one network: which entry each key fills, and what does not fit."""

    naming: Naming
    filled: dict[str, Entry]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def faults(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.misshapen)


def load_checkpoint(model: Network, path: str | Path) -> Loaded:
    """Fill ``model`` from a safetensors file or one that ``torch.load(weights_only=True)`` reads.

    The file's names may be ours or those of public code: every naming that is known for the network is tried. Keys of
    aux heads are skipped when the model has none, and needed when it has; ``num_batches_tracked`` is optional. Raises
    CheckpointError for any other missing, extra or misshapen key, naming the first few and the definition that fits;
    the model is then unchanged. A file that holds another classifier (facenet-pytorch) fills the trunk, and a warning
    says that the classifier stays as it was.
    """
    return load_tensors(model, read_tensors(Path(path)), str(path))


def load_tensors(model: Network, tensors: dict[str, Tensor], origin: str) -> Loaded:
    """As ``load_checkpoint``, from tensors that were read already; ``origin`` names them in errors.

    A model on the meta device takes the tensors themselves; any other model copies them.
    """
    table, plan = model.plan.table, model.plan
    # With aux heads even where the model has none, so that their keys in the file are known and can be skipped.
    whole = make_plan(table, width_mult=plan.width_mult, num_classes=plan.head.outputs, aux=bool(table.aux))
    matches = [_match(naming, entries(whole, naming), tensors, bool(plan.aux)) for naming in namings(table.name)]
    match = min(matches, key=lambda match: match.faults)
    if match.faults:
        raise CheckpointError(_complaint(origin, plan, match, tensors))
    state = model.state_dict()
    state.update({entry.key: tensors[key] for key, entry in match.filled.items()})
    model.load_state_dict(state, assign=any(tensor.is_meta for tensor in model.parameters()))
    untouched = ("classifier",) if match.naming.headless else ()
    if untouched:
        warnings.warn(f"{origin}: filled the trunk; the classifier of {table.address} stays new", stacklevel=3)
    return Loaded(match.naming.source, len(match.filled), untouched)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. Raises UsageError where it cannot be read as weights."""
    if not path.is_file():
        raise UsageError(f"checkpoint {path} does not exist; give a .safetensors, .pt or .pth file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"checkpoint {path} cannot be read as weights: {reason}") from error
    stored = stored.get("state_dict", stored) if isinstance(stored, dict) else stored
    if not isinstance(stored, dict) or not all(isinstance(value, Tensor) for value in stored.values()):
        raise UsageError(f"checkpoint {path} holds no state dict; save model.state_dict()")
    return stored


def _match(naming: Naming, known: dict[str, Entry], tensors: dict[str, Tensor], aux: bool) -> _Match:
    wanted = {key: entry for key, entry in known.items() if aux or not entry.aux}
    filled = {key: entry for key, entry in wanted.items() if key in tensors}
    missing = tuple(key for key, entry in wanted.items() if key not in tensors and not entry.optional)
    extra = tuple(key for key in tensors if key not in known and not key.startswith(naming.beside or ("\0",)))
    misshapen = tuple(key for key, entry in filled.items() if tuple(tensors[key].shape) != entry.shape)
    return _Match(naming, filled, missing, extra, misshapen)


def _complaint(origin: str, plan: Plan, match: _Match, tensors: dict[str, Tensor]) -> str:
    table = plan.table
    faults = [
        f"{len(keys)} {fault} ({', '.join(_described(key, match, tensors) for key in keys[:SHOWN])})"
        for fault, keys in (("missing", match.missing), ("extra", match.extra), ("misshapen", match.misshapen))
        if keys
    ]
    fitting = [address for address, known in tables().items() if _fits(known, tensors)]
    hint = f"it fits {' or '.join(fitting)} (width_mult 1, aux heads off)" if fitting else "no known definition fits"
    return f"{origin} does not fit {_wanted(table, plan)}: {', '.join(faults)}; {hint}"


def _wanted(table: Table, plan: Plan) -> str:
    heads = "with aux heads" if plan.aux else "without aux heads"
    return f"{table.address} (width_mult {plan.width_mult}, {plan.head.outputs} classes, {heads})"


def _described(key: str, match: _Match, tensors: dict[str, Tensor]) -> str:
    if key not in match.misshapen:
        return key
    return f"{key} is {list(tensors[key].shape)}, wanted {list(match.filled[key].shape)}"


def _fits(table: Table, tensors: dict[str, Tensor]) -> bool:
    """Whether the file fills a table without a fault at width 1, by arithmetic; classes as in the file."""
    for naming in namings(table.name):
        classes = tensors.get(naming.linear(0, 1, "classifier.linear") + ".bias")
        count = classes.numel() if classes is not None else 1000
        plan = make_plan(table, num_classes=max(count, 1), aux=bool(table.aux))
        if not _match(naming, entries(plan, naming), tensors, aux=False).faults:
            return True
    return False
