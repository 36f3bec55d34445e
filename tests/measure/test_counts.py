"""Params and MACs: the published figures, by the table and by every counter."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

import inception_bench
from inception_bench.measure.counting import count_disagreements, counting_line
from inception_bench.measure.workshop import Workshop
from inception_bench.models.counters import count
from inception_bench.spec.network import NetworkSpec
from inception_bench.store.cache import ArtifactCache

# googlenet: BVLC's released prototxt; inception_v3: torchvision 0.28 and timm 1.0.31.
FIGURES = {
    "googlenet": (224, 6_998_552, 13_378_280, 1_582_671_872),
    "inception_v3": (299, 23_834_568, 27_161_264, 5_713_216_096),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_all_counters_give_the_published_figures(name, tmp_path):
    size, params, params_with_aux, macs = FIGURES[name]
    by_table = inception_bench.complexity(name, aux=True)
    assert (by_table.params_without_aux, by_table.params, by_table.macs) == (params, params_with_aux, macs)

    network = NetworkSpec(name, "", size, 1.0, 1000)
    workshop = Workshop(ArtifactCache(tmp_path), 600)
    counted = workshop.count(network)
    workshop.close()
    assert (counted.params, counted.params_with_aux) == (params, params_with_aux)
    assert counted.macs_fvcore == counted.macs_flop_counter == macs
    assert count_disagreements(network, counted) == []
    for figure in ("params", "params_with_aux", "macs_fvcore", "macs_flop_counter"):
        (sentence,) = count_disagreements(network, replace(counted, **{figure: getattr(counted, figure) + 1}))
        assert f"{getattr(counted, figure) + 1:,} by" in sentence


def test_without_fvcore_two_counters_agree(monkeypatch):
    """A host that has no fvcore still counts: by table and by FlopCounterMode, and says so."""
    monkeypatch.setitem(sys.modules, "fvcore", None)
    model = inception_bench.create_model("googlenet", width_mult=0.25, num_classes=10)
    counted = count(model, torch.zeros(1, 3, 32, 32))
    network = NetworkSpec("googlenet", "", 32, 0.25, 10)
    by_table = inception_bench.complexity("googlenet", input_size=32, width_mult=0.25, num_classes=10)
    assert (counted.macs_fvcore, counted.other_by_row) == (None, {})
    whole = inception_bench.complexity("googlenet", input_size=32, width_mult=0.25, num_classes=10, aux=True)
    counted = replace(counted, params_with_aux=whole.params)
    assert count_disagreements(network, counted) == []
    assert counting_line(counted) == (
        f"{by_table.params:,} params, {by_table.macs:,} MACs, table and FlopCounterMode agree; fvcore is not installed"
    )
    (sentence,) = count_disagreements(network, replace(counted, macs_flop_counter=by_table.macs + 1))
    assert "by FlopCounterMode" in sentence


def test_rows_add_up_and_end_at_the_classifier():
    costs = inception_bench.complexity("inception_v3", input_size=107, width_mult=0.5, num_classes=10)
    assert sum(row.params for row in costs.rows) == costs.params
    assert sum(row.macs for row in costs.rows) == costs.macs
    assert (costs.rows[-1].row, costs.rows[-1].channels) == ("Logits", 10)


def test_command_line_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "inception_bench", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"inception-bench {inception_bench.__version__}"
