"""A case in its two parts, and the flat JSON that records, keys and processes of other revisions hold."""

from __future__ import annotations

import json

import pytest

from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime

CASE = Case(
    NetworkSpec("inception_v3", "torchvision", 80, 0.25, 10, "recipe:quick:0", "digits"),
    Runtime("tensorrt_rtx", "cuda", "fp16", 2, 4, {"target": "sm89", "batch": "dynamic"}),
)
# As version 2 of the record holds it.
TEXT = (
    '{"model": "inception_v3", "definition": "torchvision", "backend": "tensorrt_rtx", "device": "cuda", '
    '"precision": "fp16", "batch_size": 2, "input_size": 80, "width_mult": 0.25, "num_classes": 10, "threads": 4, '
    '"options": "{\\"batch\\": \\"dynamic\\", \\"target\\": \\"sm89\\"}", "weights": "recipe:quick:0", '
    '"data": "digits"}'
)


def test_the_json_is_flat_and_in_its_order():
    assert json.dumps(CASE.to_json()) == TEXT
    assert Case.from_json(json.loads(TEXT)) == CASE


def test_an_id_names_both_parts():
    runtime = "tensorrt_rtx[batch=dynamic;target=sm89]-cuda-fp16-b2"
    assert CASE.id == f"inception_v3@torchvision-{runtime}-80px-w0.25-quick-s0-digits"
    assert CASE.training_id == "inception_v3@torchvision-80px-w0.25-quick-s0-digits-fp16"
    assert Case(NetworkSpec("googlenet", "", 224, 1.0, 1000), Runtime("eager", "cpu", "fp32", 1, 2)).id == (
        "googlenet-eager-cpu-fp32-b1-224px"
    )


def test_json_without_the_later_fields_is_read_and_with_unknown_ones_refused():
    early = {name: value for name, value in CASE.to_json().items() if name not in ("options", "weights", "data")}
    read = Case.from_json(early)
    assert (read.network.weights, read.network.data, read.runtime.options) == ("signal-keeping", "", {})
    with pytest.raises(TypeError, match="colour"):
        Case.from_json({**early, "colour": "blue"})
    with pytest.raises(TypeError, match="threads"):
        Case.from_json({name: value for name, value in early.items() if name != "threads"})


def test_options_are_compared_by_content_and_cannot_be_changed():
    given = {"batch": "dynamic", "target": "sm89"}
    runtime = Runtime("tensorrt_rtx", "cuda", "fp16", 2, 4, given)
    given["batch"] = "fixed"
    assert runtime == CASE.runtime
    assert hash(runtime) == hash(CASE.runtime)
    assert runtime.text == CASE.runtime.text
    assert CASE.with_runtime(options={}) != CASE
    with pytest.raises(TypeError):
        runtime.options["batch"] = "fixed"  # type: ignore[index]  # what the type forbids must fail when it runs too


def test_the_reference_differs_in_the_runtime_alone():
    found = CASE.reference()
    assert found.network == CASE.network
    assert found.runtime == Runtime("eager", "cuda", "fp32", 2, 4)
