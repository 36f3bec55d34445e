"""Published weights by name: ``timm:inception_v4.tf_in1k``, ``torchvision:googlenet``.

They are downloaded once, into the cache of the library that fetches them. Both libraries come with
the extra ``hub`` and are imported only here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from inception_bench.errors import UnknownNameError, UsageError


def fetch(name: str) -> Path:
    """The file of the weights called ``name``, downloaded where the cache does not hold it.

    Raises UsageError for a name without a known source, a missing extra, or a failed download.
    """
    source, _, rest = name.partition(":")
    if source not in SOURCES:
        raise UnknownNameError("source of weights", source, SOURCES)
    if not rest:
        raise UsageError(f"weights {name!r} name no model; write for example timm:inception_v4.tf_in1k")
    return SOURCES[source](rest)


def _timm(model: str) -> Path:
    hub = _library("huggingface_hub")
    repository = model if "/" in model else f"timm/{model}"
    return _download(lambda: Path(hub.hf_hub_download(repository, "model.safetensors")), f"timm:{model}")


def _torchvision(model: str) -> Path:
    weights = _library("torchvision.models")
    try:
        url = weights.get_model_weights(model).DEFAULT.url
    except ValueError as error:
        raise UsageError(f"weights torchvision:{model}: {error}") from error

    def download() -> Path:
        import torch

        path: Path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path))
        return path

    return _download(download, f"torchvision:{model}")


SOURCES: dict[str, Callable[[str], Path]] = {"timm": _timm, "torchvision": _torchvision}


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"published weights need {name.split('.')[0]}: pip install 'inception-bench[hub]' ({error})"
        ) from error


def _download(download: Callable[[], Path], name: str) -> Path:
    try:
        return download()
    except Exception as error:  # the libraries raise their own kinds for no network, no such file, no permission
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"weights {name} could not be downloaded: {reason}") from error
