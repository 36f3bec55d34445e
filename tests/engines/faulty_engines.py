"""Runtimes with one fault each, found through entry points like anybody's own backend.

They are real: a wrong kernel is exported to ONNX and run by ONNX Runtime, and processes end by
real signals.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from inception_bench.backends.base import Attestation, Network, Setup
from inception_bench.backends.eager import Eager, EagerSession
from inception_bench.backends.onnxruntime import OnnxRuntime

# One first call, eight images of parity at batch 1, five warm-up calls: the 20th is a timed round.
TIMED_CALL = 20


class FaultySession(EagerSession):
    """Eager until its ``TIMED_CALL``-th call."""

    def __init__(self, folder: Path, setup: Setup, fault: Any):
        super().__init__(folder, setup)
        self._fault = fault
        self._calls = 0

    def run(self, batch: Any) -> Any:
        self._calls += 1
        if self._calls == TIMED_CALL:
            self._fault()
        return super().run(batch)


class Faulty(Eager):
    def __init__(self, name: str, fault: Any):
        self.name = name
        self._fault = fault

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return FaultySession(folder, setup, self._fault)


class LyingSession(EagerSession):
    def attest(self) -> Attestation:
        return replace(super().attest(), precision="bf16")


class Liar(Eager):
    name = "liar"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return LyingSession(folder, setup)


class WrongKernel(OnnxRuntime):
    """Exports the network with one 5x5 kernel of its table cut to 3x3, as some public ports have it."""

    name = "wrong_kernel"

    def build(self, network: Network, folder: Path) -> None:
        import torch

        convs = [module for module in network.module.modules() if isinstance(module, torch.nn.Conv2d)]
        conv = next(conv for conv in convs if conv.kernel_size == (5, 5))
        conv.weight = torch.nn.Parameter(conv.weight[:, :, 1:-1, 1:-1].clone(), requires_grad=False)
        conv.kernel_size, conv.padding = (3, 3), (1, 1)
        super().build(network, folder)


class TiringSession(EagerSession):
    """Right on the images of parity (9 calls), then from the 100th call on one class beside."""

    def __init__(self, folder: Path, setup: Setup):
        super().__init__(folder, setup)
        self._calls = 0

    def run(self, batch: Any) -> Any:
        self._calls += 1
        logits = super().run(batch)
        return logits.roll(1, dims=1) if self._calls >= 100 else logits


class Tires(Eager):
    name = "tires"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return TiringSession(folder, setup)


class Absent(Eager):
    name = "absent"
    modules = ("an_engine_that_nobody_has",)
    install = "pip install an-engine-that-nobody-has"


class BreaksBuild(OnnxRuntime):
    name = "breaks_build"

    def build(self, network: Network, folder: Path) -> None:
        os.kill(os.getpid(), signal.SIGABRT)


KILLED = Faulty("killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
SEGFAULTS = Faulty("segfaults", lambda: os.kill(os.getpid(), signal.SIGSEGV))
HANGS = Faulty("hangs", lambda: threading.Event().wait())
LIAR = Liar()
WRONG_KERNEL = WrongKernel()
TIRES = Tires()
ABSENT = Absent()
BREAKS_BUILD = BreaksBuild()
