"""Sets: what is in them, the split, what the network sees, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inception_bench.data import fashion_mnist, image_folder
from inception_bench.data.augmentation import Augmentation, window
from inception_bench.data.parts import StoredPart, normalised
from inception_bench.data.photographs import normalise
from inception_bench.data.sets import DataSplits, Request, check, open_data
from inception_bench.data.splitting import split_off
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.tables.bn_inception import BGR
from inception_bench.models.tables.googlenet import HALF
from inception_bench.store.housekeeping import look


def test_digits_are_all_there_and_in_one_part_each():
    """1,797 digits (scikit-learn's description); a fifth of each class is the test, a tenth of the rest validation."""
    found = open_data("digits", 8, HALF)
    parts = (found.train, found.validation, found.test)
    assert sum(len(part) for part in parts) == 1797
    assert len(found.test) == pytest.approx(1797 / 5, abs=5)  # each of ten classes is rounded
    assert all(np.bincount(part.labels).min() >= 13 for part in parts)
    seen = {image.tobytes() for part in parts for image in part.images(range(len(part)))}
    from sklearn.datasets import load_digits

    assert len(seen) == len({image.tobytes() for image in load_digits().images})


def test_digits_look_as_in_scikit_learn():
    """At 8 pixels nothing is resized: 16 is white (1), 0 is black (-1)."""
    from sklearn.datasets import load_digits

    found = open_data("digits", 8, HALF)
    known = {(image / 8 - 1).astype(np.float32).tobytes() for image in load_digits().images}
    images = found.test.images([0, 5])
    assert images.shape == (2, 3, 8, 8)
    assert images.dtype == np.float32
    assert (images[:, 0] == images[:, 1]).all()
    near = np.round(images[0, 0] * 8) / 8  # levels of 255/16 are rounded to whole bytes
    assert near.astype(np.float32).tobytes() in known


def test_split_is_the_same_whoever_asks():
    labels = np.array([0] * 10 + [1] * 20)
    kept, taken = split_off(labels, 0.2)
    assert sorted([*kept, *taken]) == list(range(30))
    assert np.bincount(labels[taken]).tolist() == [2, 4]
    assert (split_off(labels, 0.2)[1] == taken).all()


def test_second_opening_reads_the_cache(tmp_path):
    first = open_data("digits", 12, HALF, cache=tmp_path)
    (folder,) = (tmp_path / "images").iterdir()
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(stamps) == 3
    second = open_data("digits", 12, HALF, cache=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")} == stamps
    assert isinstance(second.train, StoredPart)
    assert isinstance(second.train.pixels, np.memmap)
    assert first.digest == second.digest


@pytest.mark.parametrize("preprocessing", [HALF, BGR])
def test_look_up_equals_the_formula(preprocessing):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), np.uint8)
    assert (normalised(pixels, preprocessing) == normalise(pixels, preprocessing)).all()
    grey = pixels[..., :1]
    assert (normalised(grey, preprocessing) == normalise(grey.repeat(3, -1), preprocessing)).all()


def test_windows_follow_from_their_seed_and_keep_to_the_rule():
    """Of a picture whose columns are numbered, a window that is the whole is the picture or its mirror."""
    picture = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
    whole = Augmentation(least_area=1.0, aspect=1.0)
    found = {window(picture, 64, whole, np.random.default_rng(seed)).tobytes() for seed in range(20)}
    columns = np.asarray(picture)
    assert found == {columns.tobytes(), columns[:, ::-1].tobytes()}
    rule = Augmentation(least_area=0.25, mirror=False)
    one, again, other = (window(picture, 16, rule, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()
    # A quarter of the area at an aspect of 4/3 is at least sqrt(1/4 * 3/4) of the width.
    widths = [int(np.ptp(window(picture, 64, rule, np.random.default_rng(seed)))) + 1 for seed in range(50)]
    assert min(widths) >= 64 * (1 / 4 * 3 / 4) ** 0.5 - 2
    assert len(set(widths)) > 10


# --- Fashion-MNIST


@pytest.fixture
def fashion() -> Path:
    if not fashion_mnist._complete(fashion_mnist.DEBIAN):
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    return fashion_mnist.DEBIAN


def test_fashion_mnist_is_the_official_one(fashion, monkeypatch):
    """60,000 and 10,000 images, 6,000 and 1,000 of each class (arXiv:1708.07747, Table 1)."""
    monkeypatch.setattr("inception_bench.data.resized.LIMIT_BYTES", 0)  # nothing resized before it is asked for
    found = open_data("fashion-mnist", 80, HALF)
    assert np.bincount(found.test.labels).tolist() == [1000] * 10
    assert (np.bincount(found.train.labels) + np.bincount(found.validation.labels)).tolist() == [6000] * 10
    assert found.class_names[int(found.test.labels[0])] == "Ankle boot"  # the first test image, as the authors show it
    assert found.test.images([0]).shape == (1, 3, 80, 80)


def test_fashion_mnist_is_downloaded_whole_and_checked(fashion, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "absent")
    monkeypatch.setattr(fashion_mnist, "URL", fashion.as_uri() + "/")
    fashion_mnist.download(tmp_path / "fashion-mnist")
    assert sorted(path.name for path in (tmp_path / "fashion-mnist").iterdir()) == sorted(
        f"{name}.gz" for name in fashion_mnist.SHA256
    )
    monkeypatch.setattr(fashion_mnist, "URL", (tmp_path / "nothing").as_uri() + "/")
    with pytest.raises(UsageError, match=r"could not be downloaded from .*; install Debian's dataset-fashion-mnist"):
        fashion_mnist.download(tmp_path / "other")
    assert not list((tmp_path / "other").iterdir())


def test_what_is_downloaded_is_kept_as_all_that_the_cache_holds(tmp_path, monkeypatch):
    """Found again, counted, and in use as long as this process."""
    packed = gzip.compress(b"contents")
    for name in fashion_mnist.SHA256:
        (tmp_path / f"{name}.gz").write_bytes(packed)
    hashes = dict.fromkeys(fashion_mnist.SHA256, hashlib.sha256(b"contents").hexdigest())
    monkeypatch.setattr(fashion_mnist, "SHA256", hashes)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "absent")
    monkeypatch.setattr(fashion_mnist, "URL", tmp_path.as_uri() + "/")
    cache = tmp_path / "cache"
    folder = fashion_mnist._folder(Request("", 8, HALF, cache))
    monkeypatch.setattr(fashion_mnist, "URL", (tmp_path / "nothing").as_uri() + "/")
    assert fashion_mnist._folder(Request("", 8, HALF, cache)) == folder == cache / "fashion-mnist"
    held = look(cache)
    assert [(entry.kind, entry.in_use) for entry in held.entries] == [("fashion-mnist", True)] * 4
    assert held.size_bytes == 4 * len(packed)


def test_other_contents_are_refused(fashion, tmp_path):
    for name in fashion_mnist.SHA256:
        shutil.copy(fashion / f"{name}.gz", tmp_path)
    label = tmp_path / "t10k-labels-idx1-ubyte.gz"
    changed = bytearray(gzip.decompress(label.read_bytes()))
    changed[-1] ^= 1
    label.write_bytes(gzip.compress(bytes(changed)))
    with pytest.raises(UsageError, match="does not hold the official t10k-labels-idx1-ubyte"):
        fashion_mnist._read(tmp_path, "t10k")
    label.write_bytes(label.read_bytes()[:100])
    with pytest.raises(UsageError, match="cannot be unpacked"):
        fashion_mnist._read(tmp_path, "t10k")
    with pytest.raises(UsageError, match="does not hold Fashion-MNIST; its files are train-images"):
        open_data(f"fashion-mnist:{tmp_path / 'absent'}", 80, HALF)


# --- Folders of pictures


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two classes of ten pictures: red ones and blue ones, 20 x 30."""
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        own = tmp_path / "pictures" / name
        own.mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (30, 20), colour).save(own / f"{number}.png")
    return tmp_path / "pictures"


def test_folder_of_classes_is_split(folder, tmp_path):
    found = open_data(f"imagefolder:{folder}", 8, HALF, cache=tmp_path / "cache")
    assert found.class_names == ("blue", "red")
    assert [len(part) for part in (found.train, found.validation, found.test)] == [14, 2, 4]
    images = found.train.images(range(14))
    assert images.shape == (14, 3, 8, 8)
    # Red is (1, -1, -1) by (pixel / 255 - 0.5) / 0.5.
    assert (images[found.train.labels == 1].mean((0, 2, 3)) == [1, -1, -1]).all()


def test_val_is_the_test_where_there_is_no_other(folder, tmp_path):
    whole = tmp_path / "imagenet"
    shutil.copytree(folder, whole / "train")
    shutil.copytree(folder, whole / "val")
    found = open_data(f"imagefolder:{whole}", 8, HALF, cache=tmp_path / "cache")
    assert [len(part) for part in (found.train, found.validation, found.test)] == [18, 2, 20]


def refusal(folder: Path, tmp_path: Path) -> str:
    with pytest.raises(UsageError) as refused:
        open_data(f"imagefolder:{folder}", 8, HALF, cache=tmp_path / "cache")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_one_class_is_refused(folder, tmp_path):
    shutil.rmtree(folder / "red")
    assert "has 1 class (blue); give a folder with at least two folders" in refusal(folder, tmp_path)


def test_empty_class_is_refused(folder, tmp_path):
    (folder / "green").mkdir()
    assert "class 'green' of" in refusal(folder, tmp_path)


def test_missing_folder_is_refused(tmp_path):
    assert "is no folder; give imagefolder:PATH" in refusal(tmp_path / "absent", tmp_path)


def test_classes_that_differ_between_parts_are_refused(folder, tmp_path):
    whole = tmp_path / "imagenet"
    shutil.copytree(folder, whole / "train")
    shutil.copytree(folder, whole / "val")
    (whole / "val" / "red").rename(whole / "val" / "green")
    assert "differ in class 'green'" in refusal(whole, tmp_path)


def test_a_truncated_picture_is_named_counted_and_skipped(folder, tmp_path):
    Image.effect_noise((64, 64), 50).save(folder / "red" / "0.jpg")
    whole = (folder / "red" / "0.jpg").read_bytes()
    (folder / "red" / "0.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"1 of 21 pictures cannot be read: .*red/0.jpg \(.*\); skipped \(up to 1"):
        found = open_data(f"imagefolder:{folder}", 8, HALF, cache=tmp_path / "cache")
    assert sum(len(part) for part in (found.train, found.validation, found.test)) == 20
    (folder / "blue" / "1.png").write_text("no picture")
    text = refusal(folder, tmp_path)
    assert "2 of 21 pictures cannot be read" in text
    assert "at most 1 are skipped, so repair or remove them" in text


def test_a_picture_that_vanishes_during_training_is_named(folder, tmp_path):
    found = open_data(f"imagefolder:{folder}", 8, HALF, cache=tmp_path / "cache")
    shutil.rmtree(folder / "red")
    with pytest.raises(UsageError, match=r"red/\d.png can no longer be read"):
        found.train.images(range(14))


def test_large_pictures_are_read_by_their_middle():
    """87.5 % of the short side of 16 is 14: a frame of one pixel is not seen."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[1:-1, 1:-1] = 255
    middle = image_folder.CENTRAL_SHARE
    from inception_bench.data.augmentation import central

    assert (central(Image.fromarray(pixels), 14, middle) == 255).all()


# --- Names and labels


def test_unknown_set():
    with pytest.raises(UnknownNameError, match="unknown data set 'digit'; did you mean 'digits'"):
        open_data("digit", 8, HALF)
    with pytest.raises(UsageError, match="digits come with scikit-learn, write digits"):
        open_data("digits:/tmp", 8, HALF)


def test_labels_out_of_range_are_refused():
    part = StoredPart(np.zeros((3, 2, 2, 1), np.uint8), np.array([0, 1, 2]), HALF)
    with pytest.raises(UsageError, match="own, train: labels run from 0 to 2, but 2 classes have the labels 0 to 1"):
        check(DataSplits("own", ("a", "b"), part, part, part, ""))
    with pytest.raises(UsageError, match="class 'd' has no training image"):
        check(DataSplits("own", ("a", "b", "c", "d"), part, part, part, ""))
    with pytest.raises(UsageError, match="own has 1 class"):
        check(DataSplits("own", ("a",), part, part, part, ""))
