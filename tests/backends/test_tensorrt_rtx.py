"""TensorRT's code path on a CPU: TensorRT-RTX parses, builds and says what its plans compute in, without a GPU."""

from __future__ import annotations

import json

import pytest

from inception_bench.backends.registry import driver_problem, find_backend
from inception_bench.backends.tensorrt_plan import plan_convolutions
from inception_bench.measure.workshop import Workshop
from inception_bench.models.public import NINE, find_table
from inception_bench.processes.process import CallFailed
from inception_bench.spec.case import Case
from tests.backends.conftest import small_case

pytestmark = pytest.mark.skipif(
    find_backend("tensorrt_rtx").missing() is not None or driver_problem() is None,
    reason="needs tensorrt-rtx, and no CUDA driver",
)


def built(workshop: Workshop, case: Case) -> tuple[bytes, dict[str, int], dict]:
    """The plan, what the facts beside it count, and the facts of the graph."""
    weights, images = workshop.weights(case), workshop.images(case.network)
    graph = workshop.graph(case, weights, images)
    artifact = workshop.artifact(case, weights, images)
    plan = (artifact.folder / "network.plan").read_bytes()
    counted = json.loads((artifact.folder / "facts.json").read_text())
    assert counted == plan_convolutions(plan)
    return plan, counted, json.loads((graph.folder / "facts.json").read_text())


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16", "bf16"])
def test_the_plan_has_the_precision_asked_for(workshop: Workshop, precision: str):
    _, counted, facts = built(workshop, small_case("tensorrt_rtx", precision, device="cuda"))
    assert counted == {precision: facts["convolutions"]}
    assert facts["batch_norms"] == 0


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("model", NINE)
def test_every_network_builds(workshop: Workshop, model: str, precision: str):
    size = max(find_table(model).least_input, 32)
    case = small_case("tensorrt_rtx", precision, 1, device="cuda", input_size=size, width_mult=0.125)
    plan, counted, facts = built(workshop, case.with_network(model=model))
    assert counted == {precision: facts["convolutions"]}
    assert len(plan) > 10_000


def test_an_open_batch_and_a_target_are_accepted(workshop: Workshop):
    fixed = small_case("tensorrt_rtx", device="cuda", batch_size=4)
    plan, counted, _ = built(workshop, fixed.with_runtime(options={"batch": "dynamic", "target": "sm89"}))
    assert b"accelerators={sm89 }" in plan
    assert sum(counted.values()) == sum(built(workshop, fixed)[1].values())


def test_it_cannot_be_run_here_and_says_why(workshop: Workshop):
    case = small_case("tensorrt_rtx", device="cuda")
    worker = workshop.worker(case.runtime)
    with pytest.raises(CallFailed) as caught:
        worker.call("start", 60, backend=find_backend("tensorrt_rtx").target, device="cuda")
    worker.kill()
    assert caught.value.outcome == "unavailable"
    assert "no CUDA driver" in str(caught.value)


def test_a_graph_that_it_cannot_parse_says_so(workshop: Workshop, tmp_path):
    case = small_case("tensorrt_rtx", device="cuda")
    (tmp_path / "network.onnx").write_bytes(b"this is no graph")
    worker = workshop.worker(case.runtime)
    fields = {"backend": find_backend("tensorrt_rtx").target, "device": "cuda", "without_device": True}
    worker.call("start", 60, **fields)
    setup = {"device": "cuda", "precision": "fp32", "threads": 1, "batch_size": 1, "input_size": 32}
    with pytest.raises(CallFailed, match="PlanError"):
        worker.call("compile", 60, graph=str(tmp_path), folder=str(tmp_path), setup=setup, without_device=True)
    worker.kill()
