"""The one client of workers: real ones, and stand-ins for those of other revisions."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from inception_bench.measure import engine as engine_module
from inception_bench.measure.answers import Attested, Begun, Logits, Round, Started
from inception_bench.measure.engine import CallLimit, Engine, EngineFailed, StageLimit, Verb, ask_each
from inception_bench.measure.ready import Assignment, Running, ready
from inception_bench.measure.workshop import Workshop
from inception_bench.processes.process import Process
from inception_bench.processes.protocol import PROTOCOL
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.profile import Limits
from inception_bench.spec.runtime import Runtime
from inception_bench.store.cache import ArtifactCache
from inception_bench.worker import VERBS
from tests.conftest import ROOT

CASE = Case(NetworkSpec("googlenet", "", 32, 0.125, 10), Runtime("onnxruntime", "cpu", "fp32", 2, 1))
TARGET = "inception_bench.backends.onnxruntime:BACKEND"
LIMIT = CallLimit(60.0)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Engine]]:
    """Starts workers of other revisions."""
    made: list[Engine] = []
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)  # the tests are no part of what is installed

    def start(**words: object) -> Engine:
        process = Process("tests.measure.stand_in", environment={"STAND_IN": json.dumps(words)})
        made.append(Engine(process, LIMIT))
        return made[-1]

    yield start
    for engine in made:
        engine.kill()


@pytest.fixture
def workshop(cache_root: Path) -> Iterator[Workshop]:
    made = Workshop(ArtifactCache(cache_root), 300.0)
    yield made
    made.close()


def test_it_has_each_verb_of_a_worker():
    verbs = {name for name, found in vars(Engine).items() if isinstance(found, Verb)}
    assert verbs | {"close"} == set(VERBS)


def test_a_real_engine_from_its_start_to_its_last_round(workshop: Workshop):
    weights = workshop.weights(CASE)
    reference = workshop.reference(CASE.network, weights)
    artifact = workshop.artifact(CASE, weights, reference.images)
    engine, steps = workshop.engine(CASE.runtime), []
    assigned = Assignment(engine, CASE, artifact.folder, reference.images, count=3)
    answered = ready([{"one": assigned}], lambda name, step: steps.append(step))
    started, running, attested, logits = steps
    assert isinstance(started, Started)
    assert (started.pid, started.protocol) == (engine.pid, PROTOCOL)
    assert "onnxruntime" in started.versions
    assert set(started.to_json()) == {"python", "pid", "versions", "hardware"}  # what records have
    assert isinstance(running, Running)
    assert running.started == started
    assert (running.loaded.load_s > 0, running.first.first_call_s > 0) == (True, True)
    assert running.loaded.modules == ["onnxruntime"]
    assert isinstance(attested, Attested)
    assert (attested.attest["precision"], attested.differences) == ("fp32", [])
    assert answered == {"one": logits}
    np.testing.assert_allclose(answered["one"].values, reference.logits[:3], atol=1e-4 * reference.spread)
    assert len(engine.warm_up(2).seconds) == 2
    assert engine.begin().busy_share == 0
    timed = engine.round()
    assert (timed.seconds > 0, timed.device_s, timed.settle_s is None) == (True, None, False)
    engine.slow(0.5)
    assert engine.begin().busy_share == 0.5
    assert engine.end().peak_rss_bytes is not None
    assert engine.on_device(1, 0.0).device is None
    assert engine.refusals("cpu").refusals["cpu"]["fp32"] == ""
    engine.close()
    assert engine.alive
    engine.kill()
    assert not engine.alive


def test_both_sides_tell_their_protocol(stand_in: Callable[..., Engine], tmp_path: Path):
    engine = stand_in(name="new", log=str(tmp_path / "log"), answers={"start": {"protocol": PROTOCOL}})
    assert engine.start(TARGET, "cpu").protocol == PROTOCOL
    assert f'"protocol": {PROTOCOL}' in (tmp_path / "log").read_text()


@pytest.mark.parametrize("told", [PROTOCOL + 1, 0, "2", None])
def test_a_worker_of_another_protocol_is_one_clear_line(stand_in: Callable[..., Engine], told: object):
    engine = stand_in(answers={"start": {"protocol": told}})
    with pytest.raises(EngineFailed) as caught:
        engine.start(TARGET, "cpu")
    assert caught.value.outcome == "failed"
    assert str(caught.value) == (
        f"the worker speaks protocol {told}, this inception_bench 1 to {PROTOCOL}; "
        "install the same revision for both, or start it from the newer one"
    )
    assert caught.value.engine is engine


def test_a_worker_that_tells_no_protocol_is_spoken_to_in_the_first(stand_in: Callable[..., Engine], tmp_path: Path):
    engine = stand_in(name="old", log=str(tmp_path / "log"))
    assert engine.start(TARGET, "cpu") == Started("3.9.1", 7, {}, {}, protocol=1)
    with pytest.raises(EngineFailed, match="protocol 1 times with a warm cache alone, not cold") as caught:
        engine.begin("cold")
    assert caught.value.outcome == "unavailable"
    assert engine.begin("warm") == Begun(5, True, 0.0)
    assert engine.round() == Round(0.5, 1, None, None)
    log = (tmp_path / "log").read_text()
    assert [line.split()[1] for line in log.splitlines()] == ["start", "begin", "round"]
    assert "l2" not in log


def test_a_newer_worker_may_be_told_how_to_find_the_cache(stand_in: Callable[..., Engine], tmp_path: Path):
    engine = stand_in(name="new", log=str(tmp_path / "log"), answers={"start": {"protocol": 2}})
    engine.start(TARGET, "cpu")
    engine.begin("cold")
    assert '"l2": "cold"' in (tmp_path / "log").read_text()


def test_an_answer_may_say_more_but_not_less(stand_in: Callable[..., Engine]):
    more = stand_in(answers={"round": {"of_tomorrow": 1}})
    assert more.round() == Round(0.5, 1)
    with pytest.raises(EngineFailed, match="the worker's answer to 'round' lacks preempted") as caught:
        stand_in(lacks="preempted").round()
    assert caught.value.outcome == "failed"


def test_engines_work_at_the_same_time(stand_in: Callable[..., Engine], tmp_path: Path):
    """Each end of a named pipe waits for the other: neither answers unless both are asked."""
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    engines = {"a": stand_in(meets=(pipe, os.O_RDONLY)), "b": stand_in(meets=(pipe, os.O_WRONLY))}
    answered = ask_each(engines, lambda name, engine: engine.warm_up.later(1), at_once=True)
    assert [answer.seconds for answer in answered.values()] == [[3.0], [3.0]]


def test_engines_work_one_after_the_other(stand_in: Callable[..., Engine], tmp_path: Path):
    log = tmp_path / "log"
    log.touch()
    engines = {name: stand_in(name=name, log=str(log)) for name in "ba"}
    seen = []

    def ask(name: str, engine: Engine) -> Callable[[], Round]:
        seen.append(verbs(log))
        return engine.round.later()

    ask_each(engines, ask, at_once=False)
    assert seen == [[], ["b round"]]  # the second was asked when the first had answered


def verbs(log: Path) -> list[str]:
    return [" ".join(line.split()[:2]) for line in log.read_text().splitlines()]


def assignment(engine: Engine, **other: bool) -> Assignment:
    return Assignment(engine, CASE, Path("artifact"), Path("images.npy"), **other)


def test_the_sequence_of_two_groups(stand_in: Callable[..., Engine], tmp_path: Path):
    """As in a cell: all are started, then each loads while the other is at rest."""
    log = tmp_path / "log"
    partner, own = (stand_in(name=name, log=str(log)) for name in ("partner", "own"))
    ready(
        [{"partner": assignment(partner)}, {"own": assignment(own)}],
        lambda name, step: None,
        lambda: log.write_text(log.read_text() + "- parity\n") and None,
    )
    assert sorted(verbs(log)[:2]) == ["own start", "partner start"]
    assert verbs(log)[2:] == [
        *("partner load", "partner first", "own load", "own first", "partner attest", "own attest"),
        *("- parity", "partner logits", "own logits"),
    ]


def test_the_sequence_of_one_group(stand_in: Callable[..., Engine], tmp_path: Path):
    """As in a duet: both load at once, and call their networks in turn where they share cores."""
    log = tmp_path / "log"
    group = {name: assignment(stand_in(name=name, log=str(log))) for name in "ba"}
    ready([group])
    told = verbs(log)
    assert [sorted(told[at : at + 2]) for at in (0, 2)] == [["a start", "b start"], ["a load", "b load"]]
    assert told[4:] == ["b first", "a first", "b attest", "a attest", "b logits", "a logits"]


def test_rows_are_not_attested(stand_in: Callable[..., Engine], tmp_path: Path):
    log = tmp_path / "log"
    found = ready([{"one": assignment(stand_in(name="one", log=str(log)), rows=True)}])
    assert isinstance(found["one"], Logits)
    assert verbs(log) == ["one start", "one load", "one first", "one logits"]


def test_the_engine_that_is_mislabelled_is_named(stand_in: Callable[..., Engine]):
    false = {"attest": {"attest": {"precision": "fp16"}, "differences": ["asked fp32", "effective fp16"]}}
    good, bad = stand_in(), stand_in(answers=false)
    told = []
    with pytest.raises(EngineFailed, match="asked fp32; effective fp16") as caught:
        ready([{"good": assignment(good), "bad": assignment(bad)}], lambda name, step: told.append((name, type(step))))
    assert (caught.value.outcome, caught.value.engine) == ("mislabelled", bad)
    assert told[-2:] == [("good", Attested), ("bad", Attested)]  # what it says is told before it ends


def test_a_stage_has_one_limit_for_all_its_calls(monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr(engine_module.time, "monotonic", lambda: now[0])
    stage, each = StageLimit(Limits(load=30.0, parity=5.0)), CallLimit(30.0)
    stage.enter("load")
    now[0] += 20.0
    assert (stage.seconds, stage.left(), each.left()) == (30.0, 10.0, 30.0)
    now[0] += 20.0
    assert (stage.left(), each.left()) == (0.0, 30.0)
    stage.enter("parity")
    assert (stage.stage, stage.left()) == ("parity", 5.0)


def test_an_engine_that_hangs_is_cut_at_its_limit(stand_in: Callable[..., Engine]):
    engine = stand_in()
    engine.start(TARGET, "cpu")
    engine.limit = CallLimit(0.2)
    os.kill(engine.pid, signal.SIGSTOP)
    with pytest.raises(EngineFailed, match=r"no answer within 0\.2 s") as caught:
        engine.round()
    assert (caught.value.outcome, engine.alive) == ("timeout", False)
    engine.close()  # nobody is there any more, and nobody minds
