"""Whole cells of the small network: what each precision comes to on each runtime, and why."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inception_bench.backends import registry
from inception_bench.measure.cell import Cell
from inception_bench.measure.comparison import Comparison
from inception_bench.measure.engine import CallLimit
from inception_bench.measure.measurement import PairFacts
from inception_bench.measure.parity import RowScale, compare, compare_rows
from inception_bench.measure.partners import Partners
from inception_bench.measure.rounds import Rounds
from inception_bench.measure.stages import CellSettings, CellStopped
from inception_bench.measure.workshop import Workshop
from inception_bench.spec.case import Case
from inception_bench.spec.profile import Limits
from tests.backends.conftest import small_case

SETTINGS = CellSettings(rounds_a_pair=2, seconds_a_pair=0.0, limits=Limits(), seed="tests")


def prepared(workshop: Workshop, case: Case) -> Cell:
    cell = Cell(case, workshop, SETTINGS, lambda stage: None)
    try:
        cell.prepare()
        cell.measurement.outcome = "ok"
    except CellStopped as stopped:
        cell.stop(stopped)
    finally:
        cell.close()
    return cell


@pytest.mark.parametrize("backend", ["eager", "eager_channels_last", "torchscript"])
def test_bf16_runs_and_is_attested(backend: str, workshop: Workshop):
    found = prepared(workshop, small_case(backend, "bf16")).measurement
    assert (found.outcome, found.reason) == ("ok", "")
    assert found.attest.precision == "bf16"
    assert found.parity.limit <= found.parity.weakest_mutation / 2


def test_fp16_runs_in_torch(workshop: Workshop):
    found = prepared(workshop, small_case("torchscript", "fp16")).measurement
    assert (found.outcome, found.attest.precision) == ("ok", "fp16")


def test_openvino_takes_a_precision_or_refuses_it(workshop: Workshop):
    """OpenVINO replaces what a processor lacks without a word; here it is right or unavailable, never another."""
    for precision in ("bf16", "fp16"):
        found = prepared(workshop, small_case("openvino", precision)).measurement
        if found.outcome == "ok":
            assert found.attest.precision == precision
        else:
            assert found.outcome == "unavailable"
            assert f"openvino has no {precision} on this processor" in found.reason


@pytest.mark.parametrize(
    ("backend", "precision", "reason"),
    [
        ("onnxruntime", "fp16", "onnxruntime has no fp16 on cpu; it has fp32"),
        ("eager", "tf32", "eager has no tf32 on cpu; it has fp32, bf16, fp16"),
    ],
)
def test_a_precision_that_the_engine_lacks(workshop: Workshop, backend: str, precision: str, reason: str):
    found = prepared(workshop, small_case(backend, precision)).measurement
    assert (found.outcome, found.reason) == ("unavailable", reason)


def test_an_operator_that_torch_lacks_in_16_bits(workshop: Workshop):
    """An average over depth has no 16-bit kernel on a CPU; nothing else is run in its place."""
    found = prepared(workshop, small_case("averages_depth", "bf16")).measurement
    assert found.outcome == "unavailable"
    assert "lacks an operator in this precision" in found.reason
    assert "not implemented for 'BFloat16'" in found.reason


@pytest.mark.parametrize("backend", ["eager", "torchscript"])
def test_response_norm_holds_in_half_precision(workshop: Workshop, backend: str):
    """GoogLeNet's local response normalisation squares its map, which half precision cannot hold."""
    case = small_case(backend, "fp16", model="googlenet", input_size=64, width_mult=0.25, num_classes=100)
    found = prepared(workshop, case)
    assert found.measurement.outcome == "ok", found.measurement.reason
    assert found.measurement.attest.precision == "fp16"
    assert found.measurement.parity is not None
    assert found.measurement.parity.error < 0.05


def test_an_engine_that_says_what_it_does_not_do(workshop: Workshop):
    found = prepared(workshop, small_case("says_fp16")).measurement
    assert (found.outcome, found.reason) == ("mislabelled", "precision: asked fp32, effective fp16")


def test_an_engine_that_does_not_show_its_precision_keeps_its_time(workshop: Workshop):
    found = prepared(workshop, small_case("shows_nothing")).measurement
    assert (found.outcome, found.reason) == ("ok", "")
    assert (found.attest.precision, found.attest.note) == ("unknown", "precision could not be read")


def test_an_engine_that_silently_runs_another_precision(workshop: Workshop):
    """ONNX Runtime on a CPU accepts a graph in fp16 and computes its convolutions in fp32."""
    found = prepared(workshop, small_case("runs_fp32", "fp16")).measurement
    assert (found.outcome, found.reason) == ("mislabelled", "precision: asked fp16, effective fp32")


@pytest.mark.parametrize("backend", ["eager", "onnxruntime", "torchscript"])
def test_every_end_point_can_be_compared(workshop: Workshop, backend: str):
    case = small_case(backend)
    parity = Comparison(workshop, CallLimit(Limits().parity)).rows(case, workshop.weights(case))
    assert parity.by == "rows"
    assert parity.row in ("Stem", "Mixed", "Logits")
    assert parity.holds
    assert parity.error < 1e-5


def test_rows_by_hand():
    """Two rows of one value: limits 2 x 0.01 and the floor; the fault shows best where its share of a limit is most."""
    scales = [
        RowScale("a", 1, spread=2.0, rounding=0.01, mutations={"pool": 0.0}),
        RowScale("b", 1, spread=4.0, rounding=0.0, mutations={"pool": 0.5}),
    ]
    reference = np.array([[1.0, 1.0], [3.0, 5.0]])
    # errors: a: 0.03 / 2 = 0.015 of limit 0.02; b: 0.2 / 4 = 0.05 of limit 0.1, so a is nearest to its limit
    maps = reference + np.array([[0.03, 0.2], [0.0, 0.0]])
    parity = compare_rows(maps, reference, scales, floor=0.1)
    assert parity.row == "b"  # the floor holds for both: 0.1; b errs by 0.05, a by 0.015
    assert (parity.error, parity.limit) == (pytest.approx(0.05), 0.1)
    assert parity.weakest_mutation == pytest.approx(0.5)  # 5 times the limit of b, shown at b
    assert parity.holds
    assert not compare_rows(reference + 1.0, reference, scales, floor=0.1).holds
    blind = [RowScale("a", 1, spread=2.0, rounding=0.01, mutations={"pool": 0.03})]
    assert not compare_rows(reference[:, :1], reference[:, :1], blind, floor=0.0).holds  # 0.03 is under 2 x 0.02


@pytest.mark.parametrize("backend", ["tensorrt", "tensorrt_rtx"])
def test_tensorrt_without_a_gpu(workshop: Workshop, backend: str):
    if registry.driver_problem() is not None:
        found = prepared(workshop, small_case(backend)).measurement
        assert found.outcome == "unavailable"
        expected = "no CUDA driver" if not registry.find_backend(backend).missing() else "is not installed; pip install"
        assert expected in found.reason


def test_one_partner_serves_the_runtimes_of_a_network_and_batch(workshop: Workshop):
    """A partner lives as long as cells of its network and batch follow; one that died is not given again."""
    partners = Partners()

    def cell(backend: str, batch_size: int = 2) -> Cell:
        made = Cell(
            small_case(backend, batch_size=batch_size), workshop, SETTINGS, lambda stage: None, partners=partners
        )
        made.prepare()
        made.sample(lambda rounds, seconds: rounds.pairs == 2)
        made.end()
        made.close()
        return made

    first, second = cell("eager"), cell("torchscript")
    assert first.measurement.partner_pid == second.measurement.partner_pid != second.measurement.worker["pid"]
    assert second.measurement.partner_parity == first.measurement.partner_parity
    assert second.measurement.rounds is not None
    assert second.measurement.rounds.process_pair == [0, 0, 1, 1]
    partners_of = [[pair.partner_pid for pair in each.measurement.pairs] for each in (first, second)]
    assert partners_of[0] == partners_of[1]  # a partner of its own for each number of a pair
    assert len(set(partners_of[0])) == 2
    other = cell("eager", batch_size=1).measurement.partner_pid
    assert not is_alive(first.measurement.partner_pid)
    os.kill(other, signal.SIGKILL)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    again = cell("torchscript", batch_size=1).measurement.partner_pid
    assert again not in (other, first.measurement.partner_pid)
    partners.close()
    assert not is_alive(again)


def test_each_pair_is_fresh_and_starts_the_other_way_round(workshop: Workshop):
    """Three pairs of a cell: six processes, all gone but the last pair's, blocks in both orders, parity of each."""
    case = small_case("onnxruntime")
    cell = Cell(case, workshop, SETTINGS, lambda stage: None)
    asked: list[tuple[int, int]] = []

    def enough(rounds: Rounds, seconds: float) -> bool:
        asked.append((rounds.pairs, len(rounds)))
        assert all(not is_alive(pid) for pair in cell.measurement.pairs[:-1] for pid in _pids(pair))
        assert all(is_alive(pid) for pid in _pids(cell.measurement.pairs[-1]))
        return rounds.pairs == 3

    try:
        cell.prepare()
        cell.sample(enough)
        cell.end()
    finally:
        cell.close()
    measured = cell.measurement
    assert asked == [(1, 2), (2, 4), (3, 6)]
    assert len({pid for pair in measured.pairs for pid in _pids(pair)}) == 6
    first, second, _ = (pair.started_first for pair in measured.pairs)
    assert {first, second} == {"candidate", "partner"}
    assert measured.timed.process_pair == [0, 0, 1, 1, 2, 2]
    orders = measured.timed.reference_first
    assert all(orders[at] != orders[at + 1] for at in (0, 2, 4))  # ABBA or BAAB
    assert measured.worker["pid"] == measured.pairs[0].candidate_pid
    assert measured.peak_rss_bytes == max(pair.peak_rss_bytes for pair in measured.pairs)


def test_a_process_that_answers_otherwise_in_a_later_pair_is_a_mismatch(workshop: Workshop, monkeypatch):
    cell = Cell(small_case("onnxruntime"), workshop, SETTINGS, lambda stage: None)
    try:
        cell.prepare()
        monkeypatch.setattr(
            "inception_bench.measure.comparison.compare",
            lambda logits, *known: compare(np.zeros_like(logits), *known),
        )
        with pytest.raises(CellStopped) as stopped:
            cell.sample(lambda rounds, seconds: False)
    finally:
        cell.close()
    assert (stopped.value.outcome, stopped.value.stage) == ("mismatch", "parity")
    assert len(cell.measurement.pairs) == 1


def test_a_pair_is_timed_for_as_long_as_its_settings_say(workshop: Workshop):
    """Short rounds: at least the seconds, in whole blocks; long ones: at least the rounds."""
    settings = replace(SETTINGS, seconds_a_pair=0.2)
    cell = Cell(small_case("onnxruntime"), workshop, settings, lambda stage: None)
    try:
        cell.prepare()
        cell.sample(lambda rounds, seconds: True)
        cell.end()
    finally:
        cell.close()
    rounds = cell.measurement.timed
    assert len(rounds) > 2
    assert len(rounds) % 2 == 0


def _pids(pair: PairFacts) -> tuple[int, int]:
    return pair.candidate_pid, pair.partner_pid


def test_without_sharing_each_cell_has_a_partner_of_its_own(workshop: Workshop):
    pids = {prepared(workshop, small_case("eager")).measurement.partner_pid for _ in range(2)}
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def is_alive(pid: int | None) -> bool:
    assert pid is not None
    return Path(f"/proc/{pid}").exists()
