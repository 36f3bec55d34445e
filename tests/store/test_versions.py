"""Files that say their version: one without is of version 1, one of a later revision is refused in a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from inception_bench.errors import UsageError
from inception_bench.gate.stored.acceptance import read_acceptance, write_acceptance
from inception_bench.measure.workshop import Workshop
from inception_bench.models.public import create_model
from inception_bench.models.weights.stored import load_network, save_network
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache
from inception_bench.store.versions import check_version
from inception_bench.train.checkpoint import Position, State, load_checkpoint, save_checkpoint

CASE = Case(NetworkSpec("googlenet", "", 32, 0.125, 10), Runtime("eager", "cpu", "fp32", 1, threads=1))


def state() -> State:
    network = nn.Linear(2, 1)
    return State(network, torch.optim.SGD(network.parameters(), lr=0.1), None)


class Network:
    """``network.json`` of a narrow GoogLeNet."""

    name = "network.json"

    def write(self, folder: Path) -> None:
        save_network(create_model("googlenet", width_mult=0.1, num_classes=10), "googlenet", 0.1, 10, folder)

    def read(self, folder: Path) -> object:
        return load_network(folder).address


class Manifest:
    """``manifest.json`` of an entry of the cache."""

    name = "onnx/*/manifest.json"

    def write(self, folder: Path) -> None:
        ArtifactCache(folder).get("onnx", {"of": 1}, lambda entry: (entry / "file").write_text("built"))

    def read(self, folder: Path) -> object:
        def again(entry: Path) -> None:
            raise AssertionError(f"built once more in {entry}")

        return ArtifactCache(folder).get("onnx", {"of": 1}, again).cached


class Baseline:
    """``baseline.json`` beside the records that were accepted."""

    name = "baseline.json"

    def write(self, folder: Path) -> None:
        (folder / "records.jsonl").write_text("{}\n")
        write_acceptance(folder, folder, "run-1", "first", who="Ada")

    def read(self, folder: Path) -> object:
        return read_acceptance(folder)


def rewrite_json(path: Path, version: object) -> None:
    body = json.loads(path.read_text())
    assert body.pop("version") == 1
    path.write_text(json.dumps(body if version is None else {**body, "version": version}))


class Checkpoint:
    """A training's checkpoint, which says its version in the metadata of a safetensors file."""

    name = "checkpoint.safetensors"

    def write(self, folder: Path) -> None:
        save_checkpoint(folder / self.name, state(), Position(3, 1.5), {"model": "googlenet"})

    def read(self, folder: Path) -> object:
        return load_checkpoint(folder / self.name, state(), {"model": "googlenet"})


def rewrite_metadata(path: Path, version: object) -> None:
    with safe_open(path, "pt") as opened:
        facts = opened.metadata()
    assert facts.pop("version") == "1"
    save_file(load_file(path), path, facts if version is None else {**facts, "version": str(version)})


KINDS = [(Network(), rewrite_json), (Manifest(), rewrite_json), (Baseline(), rewrite_json),
         (Checkpoint(), rewrite_metadata)]  # fmt: skip
every_kind = pytest.mark.parametrize(("kind", "rewrite"), KINDS, ids=["network", "manifest", "baseline", "checkpoint"])


@every_kind
def test_a_file_without_a_version_is_of_version_1(tmp_path: Path, kind: Network, rewrite: Callable[..., None]):
    kind.write(tmp_path)
    as_written = kind.read(tmp_path)
    (path,) = tmp_path.glob(kind.name)
    rewrite(path, None)
    assert kind.read(tmp_path) == as_written


@every_kind
def test_a_later_version_is_refused_in_one_line(tmp_path: Path, kind: Network, rewrite: Callable[..., None]):
    kind.write(tmp_path)
    (path,) = tmp_path.glob(kind.name)
    rewrite(path, 2)
    with pytest.raises(UsageError) as refused:
        kind.read(tmp_path)
    text = str(refused.value)
    assert text.startswith(
        f"{path} is of version 2; this inception-bench reads up to version 1: install a later one, or "
    )
    assert "\n" not in text
    assert path.is_file()  # what a later revision wrote is its own


@pytest.mark.parametrize("version", [0, 4, "2", 2.5, [1]])
def test_what_is_no_version_is_refused(version: object):
    with pytest.raises(UsageError, match="reads up to version 3: install a later one, or delete it"):
        check_version(Path("file"), version, 3, "delete it")


def test_each_version_up_to_ours_is_read():
    for version in (None, 1, 2, 3):
        check_version(Path("file"), version, 3, "delete it")


@pytest.mark.slow
def test_a_cell_whose_artifact_is_of_a_later_version_fails_with_the_reason(tmp_path: Path):
    """The cell is a record with that reason; the other cells still run."""
    workshop = Workshop(ArtifactCache(tmp_path), 60.0)
    try:
        entry = workshop.weights(CASE).folder
        rewrite_json(entry / "manifest.json", 2)
        with pytest.raises(CallFailed, match="is of version 2; this inception-bench reads") as failed:
            workshop.weights(CASE)
    finally:
        workshop.close()
    assert failed.value.outcome == "failed"
