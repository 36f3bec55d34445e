"""What is built before the first timed item: each thing once, on several cores, and as if it were built when needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from inception_bench.measure import ahead, builder_process, training
from inception_bench.measure.ahead import Ahead, Wanted
from inception_bench.measure.workshop import Workshop
from inception_bench.processes.process import CallFailed, Killed
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec, trained_weights
from inception_bench.store.cache import Artifact, ArtifactCache
from tests.backends.conftest import LIMIT_S, small_case


def workshop_in(folder: Path) -> Workshop:
    return Workshop(ArtifactCache(folder), LIMIT_S)


@pytest.fixture
def fresh(engines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A workshop that has built nothing yet; its engines note their builds."""
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setattr(ahead, "usable_cores", lambda: 2)
    made = workshop_in(tmp_path / "cache")
    yield made
    made.close()


def build_ahead(workshop: Workshop, *cases: Case, trainings: tuple[Case, ...] = ()) -> list[str]:
    """Returns what the progress line showed."""
    shown: list[str] = []
    Ahead(workshop).build(Wanted(cases, trainings), lambda done, total: shown.append(f"build {done}/{total} networks"))
    return shown


def ask(workshop: Workshop, case: Case) -> list[Artifact]:
    """What a cell asks for: its weights, and what its worker loads."""
    weights = workshop.weights(case)
    reference = workshop.reference(case.network, weights)
    return [weights, workshop.artifact(case, weights, reference.images)]


def notes(workshop: Workshop) -> list[str]:
    path = workshop.cache.root.parent / "notes"
    return path.read_text().split() if path.exists() else []


def manifests(workshop: Workshop) -> dict[str, str]:
    """The digest of all that lies in the cache, by kind and key."""
    root = workshop.cache.root
    return {str(path.parent.relative_to(root)): path.read_text() for path in root.glob("*/*/manifest.json")}


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch):
    """From when it is called on, no builder and no trainer can be started."""

    def refuse(*_, **__):
        raise AssertionError("a process was started")

    def forbid() -> None:
        monkeypatch.setattr(builder_process, "Process", refuse)
        monkeypatch.setattr(training, "Process", refuse)

    return forbid


@pytest.mark.slow
def test_what_was_built_ahead_is_found_under_the_same_keys(fresh, tmp_path, no_process):
    cases = [small_case(name, batch_size=size) for name in ("eager", "torchscript", "onnxruntime") for size in (1, 2)]
    lazy = workshop_in(tmp_path / "lazy")
    for case in cases:
        ask(lazy, case)
    lazy.close()
    assert build_ahead(fresh, *cases) == ["build 0/1 networks", "build 1/1 networks"]
    assert set(manifests(fresh)) == set(manifests(lazy))
    no_process()
    assert build_ahead(workshop_in(fresh.cache.root), *cases) == []  # another run, which has asked no engine yet
    exported = [ask(fresh, case) for case in cases[2:]]
    # Nobody had asked for them before: as if they had been built now.
    assert [artifact.cached for _, artifact in exported] == [False] * 4
    assert [weights.cached for weights, _ in exported] == [False, True, True, True]
    assert all(artifact.cached for case in cases for artifact in ask(fresh, case))


@pytest.mark.slow
def test_the_weights_do_not_depend_on_how_many_threads_build(fresh, tmp_path):
    """Where the calibration had two threads, the weights of this network were others than with one."""
    case, digests = Case(NetworkSpec("inception_v3", "", 150, 1.0, 10), small_case("eager").runtime), set()
    for threads in (1, 2):
        made = Workshop(ArtifactCache(tmp_path / str(threads)), LIMIT_S, threads=threads)
        digests.add(made.weights(case).digest)
        made.close()
    assert len(digests) == 1


@pytest.mark.slow
def test_a_failure_is_that_of_its_own_cells_and_is_not_tried_again(fresh, no_process):
    whole, broken = small_case("torchscript"), small_case("breaks_in_build")
    build_ahead(fresh, broken, whole)
    no_process()
    assert ask(fresh, whole)
    for _ in range(2):
        with pytest.raises(CallFailed, match="RuntimeError: no such operator"):
            ask(fresh, broken)
    assert notes(fresh) == ["breaks_in_build"]


@pytest.mark.slow
def test_a_builder_that_is_killed_costs_its_own_task(fresh, monkeypatch):
    """With one lane the next task needs a new builder. What was killed beside others is tried once more, alone."""
    monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
    whole, deadly = small_case("torchscript"), small_case("dies_in_build")
    assert build_ahead(fresh, deadly, whole)[-1] == "build 1/1 networks"
    assert notes(fresh) == ["dies_in_build"]
    assert build_ahead(fresh, whole) == []
    with pytest.raises(Killed, match="killed by SIGKILL"):
        ask(fresh, deadly)
    assert notes(fresh) == ["dies_in_build"] * 2


@pytest.mark.slow
def test_a_training_that_fails_is_tried_once(fresh, no_process):
    case = small_case("eager", weights=trained_weights("sgd", 0), data="imagefolder:/nowhere")
    build_ahead(fresh, case.with_runtime(backend="torchscript"), small_case("eager"), trainings=(case,))
    no_process()
    assert fresh.weights(small_case("eager"))
    with pytest.raises(CallFailed, match="/nowhere"):
        fresh.training.result(case)


def test_what_is_not_here_or_refused_is_not_built_for(fresh, monkeypatch, no_process):
    monkeypatch.setenv("CHOOSY", "not on this machine")
    build_ahead(fresh, small_case("choosy"))
    assert manifests(fresh) == {}
    no_process()  # the engine was asked already
    with pytest.raises(CallFailed, match="not on this machine"):
        fresh.refusals.require(small_case("choosy").runtime)
    left_to_the_cell = [small_case(name) for name in ("choosy_compiler", "tensorrt_rtx")]
    assert build_ahead(fresh, *left_to_the_cell, small_case("torchscript", device="cuda")) == []


def test_no_more_builders_than_the_memory_holds(fresh, monkeypatch):
    def count(gigabytes: float) -> list[int | None]:
        monkeypatch.setattr(ahead, "available_bytes", lambda: int(gigabytes * 2**30))
        tasks = ahead.missing(Wanted((small_case("onnxruntime"), small_case("torchscript"))).chains({}), fresh)
        return [made.threads for made in Ahead(fresh)._workshops(tasks)]

    monkeypatch.setattr(ahead, "usable_cores", lambda: 8)
    # One network: three tasks at most, and its first one has all cores.
    assert [count(64), count(4.1), count(0.5)] == [[8, 8, 8], [8, 8], [8]]


@pytest.mark.slow
def test_an_interruption_ends_all_processes(fresh, monkeypatch):
    notes_path = Path(os.environ["NOTES"])
    os.mkfifo(notes_path)
    before = set(psutil.Process().children(recursive=True))

    def interrupt(done: int, total: int) -> None:
        assert notes_path.read_text() == "hangs_in_build\n"  # waits until the builder has opened and closed it
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ahead(fresh).build(Wanted((small_case("hangs_in_build"),)), interrupt)
    assert set(psutil.Process().children(recursive=True)) <= before
