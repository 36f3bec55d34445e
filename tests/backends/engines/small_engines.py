"""Engines that are real but not what they are labelled, and one that nobody can import."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from inception_bench.backends.base import UNKNOWN, Attestation, Network, Setup
from inception_bench.backends.eager import Eager, EagerSession
from inception_bench.backends.onnx_graph import OnnxExport
from inception_bench.backends.onnxruntime import OnnxRuntime


class SaysFp16Session(EagerSession):
    def attest(self) -> Attestation:
        return replace(super().attest(), precision="fp16")


class SaysFp16(Eager):
    """Runs in fp32 and says fp16: asked for fp32, its label is wrong."""

    name = "says_fp16"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return SaysFp16Session(folder, setup)


class ShowsNothingSession(EagerSession):
    def attest(self) -> Attestation:
        return replace(super().attest(), precision=UNKNOWN, note="precision could not be read")


class ShowsNothing(Eager):
    """Runs as it was asked to and does not show it."""

    name = "shows_nothing"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return ShowsNothingSession(folder, setup)


class RunsFp32(OnnxRuntime):
    """Takes fp16 on a CPU, where ONNX Runtime puts casts around convolutions in fp32 without a word."""

    name = "runs_fp32"
    precisions = {"cpu": ("fp32", "fp16")}  # noqa: RUF012 - a table


class AveragesDepthSession(EagerSession):
    def run(self, batch: Any) -> Any:
        """The network's answer, after an operator that torch has no 16-bit kernel of on a CPU."""
        self._torch.nn.functional.avg_pool3d(batch, (3, 1, 1))
        return super().run(batch)


class AveragesDepth(Eager):
    name = "averages_depth"

    def load(self, folder: Path, setup: Setup) -> EagerSession:
        return AveragesDepthSession(folder, setup)


class CrashesAtImport(Eager):
    name = "crashes_at_import"
    modules = ("crashing_library",)


class Choosy(Eager):
    """Refuses where its interpreter's environment says so."""

    name = "choosy"

    def refuses(self, device: str, precision: str) -> str | None:
        return os.environ.get("CHOOSY")


class ChoosyCompiler(OnnxExport):
    """Refuses likewise; else it would compile an exported graph."""

    name = "choosy_compiler"
    modules = ()
    distributions = ()
    install = ""
    precisions = {"cpu": ("fp32",)}  # noqa: RUF012 - a table

    def refuses(self, device: str, precision: str) -> str | None:
        return os.environ.get("CHOOSY")

    def compile(self, graph: Path, folder: Path, setup: Setup) -> None:
        raise RuntimeError("compiled although it refuses")

    def load(self, folder: Path, setup: Setup) -> Any:
        raise RuntimeError("loaded although it refuses")


class Notes(OnnxExport):
    """Writes a line into the file ``NOTES`` for each of its builds, all of which end badly."""

    modules = ()
    distributions = ()
    install = ""
    precisions = {"cpu": ("fp32",)}  # noqa: RUF012 - a table
    graph = None  # shares none

    def build(self, network: Network, folder: Path) -> None:
        with Path(os.environ["NOTES"]).open("a") as notes:
            notes.write(f"{self.name}\n")
        self.end()

    def end(self) -> None:
        raise RuntimeError("no such operator")

    def load(self, folder: Path, setup: Setup) -> Any:
        raise RuntimeError("loaded although it was not built")


class BreaksInBuild(Notes):
    name = "breaks_in_build"


class DiesInBuild(Notes):
    name = "dies_in_build"

    def end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class HangsInBuild(Notes):
    name = "hangs_in_build"

    def end(self) -> None:
        signal.pause()


SAYS_FP16 = SaysFp16()
SHOWS_NOTHING = ShowsNothing()
RUNS_FP32 = RunsFp32()
CRASHES_AT_IMPORT = CrashesAtImport()
AVERAGES_DEPTH = AveragesDepth()
BREAKS_IN_BUILD = BreaksInBuild()
DIES_IN_BUILD = DiesInBuild()
HANGS_IN_BUILD = HangsInBuild()
CHOOSY = Choosy()
CHOOSY_COMPILER = ChoosyCompiler()
