"""The runtime ``eager`` with maps and filters in NHWC order, in which many kernels are faster."""

from __future__ import annotations

from pathlib import Path

from inception_bench.backends.base import Setup
from inception_bench.backends.eager import Eager, EagerSession


class EagerChannelsLast(Eager):
    """The backend ``eager_channels_last``."""

    name = "eager_channels_last"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return EagerSession(folder, setup, "channels_last")


BACKEND = EagerChannelsLast()
