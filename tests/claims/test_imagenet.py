"""Error rates on ImageNet: what a run must be given, what its counts say, and a whole run on tiny pictures."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from inception_bench.claims.ledger import find_claim, ledger
from inception_bench.claims.methods.imagenet import answered, deciding_case, judge_error, missing
from inception_bench.claims.outcome import read_outcome
from inception_bench.measure.accuracy import Counts
from inception_bench.models.public import create_model
from inception_bench.spec.case import Case
from inception_bench.spec.network import NetworkSpec
from inception_bench.spec.runtime import Runtime
from tests.conftest import SMALL

V3 = Case(
    NetworkSpec("inception_v3", "", 299, 1.0, 1000, "v3.pth", "imagefolder:x"),
    Runtime("onnxruntime", "cpu", "fp32", 1, 1),
)
CLAIM = find_claim("R-T3a-8")  # Inception-v3: 21.2 % top-1 and 5.6 % top-5 error on one crop


def counts(right: int, among_five: int, images: int = 50_000) -> Counts:
    return Counts("imagefolder:x", images, right, among_five, images, 0, 0)


def test_a_run_with_the_networks_weights_and_the_folder_lacks_nothing():
    assert missing(CLAIM, [V3]) is None
    assert deciding_case([V3]) == V3.with_runtime(backend="eager")


@pytest.mark.parametrize(
    ("changed", "lacking"),
    [
        ({"data": ""}, "needs the ILSVRC-2012 validation set"),
        ({"data": "digits"}, "needs the ILSVRC-2012 validation set"),
        ({"model": "inception_v4"}, "needs the weights of inception_v3; those of inception_v4 were given"),
        ({"definition": "torchvision"}, "those of inception_v3@torchvision were given"),
        ({"num_classes": 3}, "needs the 1000 classes of ILSVRC-2012; imagefolder:x has 3"),
        ({"input_size": 128}, "needs inception_v3 at 299 pixels and width 1"),
    ],
)
def test_what_is_missing_is_named(changed, lacking):
    assert lacking in (missing(CLAIM, [V3.with_network(**changed)]) or "")


def test_rows_of_many_crops_or_networks_stay_untestable():
    others = [claim for claim in ledger().values() if claim.needs == "imagenet" and claim.measure != "imagenet_error"]
    assert len(others) > 20
    assert all(missing(claim, [V3]) == claim.reason for claim in others)


def test_an_error_is_what_is_not_right():
    """39,400 of 50,000 are 21.2 % error; by Wilson's formula +-0.36 points."""
    outcome = judge_error(CLAIM, counts(39_400, 47_200))
    top1, top5 = outcome.figures
    assert (top1.value, top5.value) == pytest.approx((0.212, 0.056))
    assert (top1.low, top1.high) == pytest.approx((0.20844, 0.21560), abs=1e-5)
    assert outcome.verdict == "reproduced"
    assert outcome.as_expected
    assert judge_error(CLAIM, counts(38_000, 47_200)).verdict == "contradicted"  # 24 %
    assert read_outcome(CLAIM, outcome.to_json()).figures == outcome.figures


def test_too_few_images_decide_nothing():
    """Of 50 images 39 right: 22 % error, but from 13 to 35."""
    assert judge_error(CLAIM, counts(39, 47, 50)).verdict == "inconclusive"


class Prepared:
    """A cell as ``answered`` sees it."""

    def __init__(self, accuracy):
        self.case, self.measurement, self.prepared = V3, self, False
        self.accuracy = accuracy

    def prepare(self):
        self.prepared = True


def test_a_cell_is_prepared_and_asked_for_its_counts():
    cell = Prepared(counts(1, 1))
    assert answered(cell) is cell.accuracy
    assert cell.prepared
    with pytest.raises(ValueError, match="names no data"):
        answered(Prepared(None))


def test_a_run_on_other_pictures_says_what_is_missing(launcher, tmp_path):
    """A folder of three classes and a network for it, through pytest."""
    import torch
    from safetensors.torch import save_file

    for part, each in (("train", 3), ("val", 1), ("test", 1)):
        for number, name in enumerate("abc"):
            (tmp_path / "pictures" / part / name).mkdir(parents=True)
            for index in range(each):
                pixels = np.full((40, 40, 3), 80 * number + index, np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pictures" / part / name / f"{index}.png")
    torch.manual_seed(0)
    weights = tmp_path / "weights.safetensors"
    save_file(create_model("googlenet", num_classes=3, width_mult=0.125).state_dict(), str(weights))
    given = (f"--inception-data=imagefolder:{tmp_path / 'pictures'}", f"--inception-weights={weights}")
    done = launcher.run(tmp_path / "results", *SMALL, *given, "-k", "G-T3-1", suite="suites/test_claims.py")
    assert done.code == 0, done.output
    with (done.folder / "claims.csv").open(newline="", encoding="utf-8") as stream:
        row = next(row for row in csv.DictReader(stream) if row["id"] == "G-T3-1")
    assert row["verdict"] == "not testable here"
    assert row["reason"].startswith("needs the 1000 classes of ILSVRC-2012; imagefolder:")
    assert row["reason"].endswith("has 3")
