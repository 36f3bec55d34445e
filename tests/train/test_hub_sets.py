"""``hf:NAME`` through the real library, on folders and tables of this machine (no network)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inception_bench.data.sets import open_data
from inception_bench.errors import UsageError
from inception_bench.models.tables.googlenet import HALF

datasets = pytest.importorskip("datasets", reason="the extra hf is not installed: pip install '.[hf]'")


@pytest.fixture(autouse=True)
def own_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)


def pictures(folder: Path, parts: dict[str, int], classes: tuple[str, ...] = ("bright", "dark")) -> str:
    """A set of ``parts`` (images each): white ones in the first class, black ones in the second."""
    for part, count in parts.items():
        for number in range(count):
            own = folder / part / classes[number % len(classes)]
            own.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (255 * (1 - number % 2),) * 3).save(own / f"{number}.png")
    return f"hf:{folder}"


def test_parts_as_the_set_has_them(tmp_path):
    found = open_data(pictures(tmp_path / "own", {"train": 20, "validation": 6, "test": 8}), 8, HALF)
    assert [len(part) for part in (found.train, found.validation, found.test)] == [20, 6, 8]
    assert found.class_names == ("bright", "dark")
    images = found.test.images(range(8))
    assert images.shape == (8, 3, 8, 8)
    assert (images.mean((1, 2, 3)) == np.where(found.test.labels == 0, 1, -1)).all()


def test_validation_is_the_test_where_there_is_no_other(tmp_path):
    found = open_data(pictures(tmp_path / "own", {"train": 20, "validation": 6}), 8, HALF)
    assert [len(part) for part in (found.train, found.validation, found.test)] == [18, 2, 6]


def test_one_part_is_split(tmp_path):
    found = open_data(pictures(tmp_path / "own", {"train": 20}), 8, HALF)
    assert [len(part) for part in (found.train, found.validation, found.test)] == [14, 2, 4]


def test_a_set_without_classes_is_refused(tmp_path):
    name = pictures(tmp_path / "own", {"train": 4}, classes=("",))
    with pytest.raises(UsageError, match=r"has no column of kind ClassLabel \(it has image\)"):
        open_data(name, 8, HALF)


def test_a_set_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"hf:.*absent could not be loaded: ") as refused:
        open_data(f"hf:{tmp_path / 'absent'}", 8, HALF)
    assert "\n" not in str(refused.value)
