from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch

from inception_bench.store.cache import VARIABLE
from inception_bench.train.job import Job, Machine
from inception_bench.train.recipes import find_recipe


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Small networks on a shared machine: a second thread waits more than it works."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Resized sets go to a folder of the tests' own, also in processes that tests start."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before


@pytest.fixture
def tiny():
    """A job of a second: GoogLeNet at an eighth of the width and 32 pixels, ten batches an epoch."""

    def make(model: str = "googlenet@bn", recipe: str = "quick", **given) -> Job:
        parts = {name: given.pop(name) for name in list(given) if name in find_recipe("sgd", model).__dict__}
        scale = {"width_mult": 0.125, "input_size": 32}
        scale = {name: parts.pop(name, value) for name, value in scale.items()}
        chosen = replace(find_recipe(recipe, model), **parts)
        whole = {
            "max_steps": 12,
            "train_images": 320,
            "evaluations": 1,
            "machine": Machine(threads=1),
            **scale,
            **given,
        }
        return Job(model, "digits", chosen, **whole)

    return make
