"""``inception-bench models`` and ``describe``: values, marks, JSON, exit codes."""

import json
import subprocess
import sys
import time

import pytest

from inception_bench import cli
from inception_bench.models.describe import describe, summaries
from inception_bench.models.public import BASELINES, NINE, list_definitions


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["inception-bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def marked(address: str) -> dict[str, tuple[str, ...]]:
    return {line.row: line.disagrees for line in describe(address).lines if line.disagrees}


def test_rows_of_googlenets_table_1_that_do_not_follow_from_their_widths():
    """conv1 (a 7x7 of 64 filters on 3 channels has 9.4K weights, not 2.7K), 4c and 5a."""
    assert marked("googlenet") == {
        "Conv2d_1a_7x7": ("params", "macs"),
        "Mixed_4d": ("params",),
        "Mixed_5b": ("params", "macs"),
    }


def test_printing_errors_of_other_papers():
    # arXiv:1502.03167, Fig. 5 prints the grid that goes into 3c and 4e; with projections of 128 its 576 do not add up.
    assert marked("bn_inception") == {"Mixed_4a": ("output",), "Mixed_5a": ("output",)}
    assert marked("bn_inception@cadene").keys() == {"Mixed_4a", "Mixed_4d", "Mixed_4e", "Mixed_5a"}
    # arXiv:1512.00567, Table 1 against the release: five modules on 17x17 are four there, and the stem is another.
    assert marked("inception_v3")["Mixed_6e"] == ("rows",)
    assert marked("inception_v2") == {}
    # arXiv:1602.07261: 1154 and 2048 cannot be added to 1152 and 2144.
    assert marked("inception_resnet_v2@paper") == {"Block17_10": ("output",), "Block8_5": ("output",)}
    assert marked("inception_v4") == marked("inception_resnet_v1") == {}


def test_sums_that_the_papers_print():
    assert describe("googlenet").disagrees == ()
    assert describe("bn_inception").disagrees == ("params",)  # 13.6M: no reading of the figure gives it
    assert describe("inception_v3").disagrees == ("macs",)  # 4.8 billion against 5.7
    assert describe("alexnet").disagrees == ()


def test_compare_marks_and_states_the_tolerance(monkeypatch, capsys):
    assert run(monkeypatch, "describe", "googlenet", "--compare", "paper") == 0
    printed = capsys.readouterr().out
    assert "within 3% (K = 1024)" in printed
    line = next(line for line in printed.splitlines() if line.startswith("rows that disagree"))
    assert [row for row in ("7x7/2", "(3a)", "(4b)", "(4c)", "(5a)") if row in line] == ["7x7/2", "(4c)", "(5a)"]


def test_describe_as_json(monkeypatch, capsys):
    assert run(monkeypatch, "describe", "inception_v3@torchvision", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["params"], found["macs"]) == (23_834_568, 5_713_216_096)
    assert found["lines"][7]["branches"] == ["1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "avg3x3 1x1:32"]
    assert found["lines"][0] | {"kernel": "3x3/2", "output": [149, 149, 32]} == found["lines"][0]


def test_describe_at_another_size_compares_nothing():
    found = describe("googlenet", input_size=64)
    assert found.input_size == 64
    assert not any(line.printed for line in found.lines)


def test_models_lists_the_nine_and_the_baselines(monkeypatch, capsys):
    assert run(monkeypatch, "models", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["model"] for item in found if not item["baseline"]] == list(NINE)
    assert [item["model"] for item in found if item["baseline"]] == list(BASELINES)
    assert run(monkeypatch, "models") == 0
    assert "12,253,974,624" in capsys.readouterr().out


def test_models_lists_definitions():
    assert len(summaries(definitions=True)) == len(list_definitions())
    published = [item for item in summaries(definitions=True) if item.published.top1 or item.published.top5]
    assert all(item.published.source for item in published)
    assert all(0 < share < 1 for item in published for share in (item.published.top1, item.published.top5) if share)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("describe", "inception_v5"), "did you mean 'inception_v"),
        (("describe", "inception_v3@tf"), "known: torchvision, fid"),
        (("describe", "inception_v3", "--input-size", "40"), "the least is 75 pixels"),
        (("describe", "inception_v3", "--width-mult", "0"), "width_mult 0.0 is not possible"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(arguments, message, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert message in written.err
    assert len(written.err.splitlines()) == 1


def test_wrong_usage_is_exit_2(monkeypatch):
    assert run(monkeypatch, "describe") == 2
    assert run(monkeypatch, "describe", "googlenet", "--compare", "rumour") == 2


def test_help_is_quick_and_imports_no_torch():
    code = (
        "import runpy, sys; sys.argv = ['inception-bench', '--help']\n"
        "try: runpy.run_module('inception_bench', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    started = time.perf_counter()
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
    assert time.perf_counter() - started < 5  # about 0.3 s alone; importing torch takes several
