"""Where a network runs, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

# Binary32 with every product in full; tf32: products of 10-bit mantissas, sums in binary32 (NVIDIA GPUs);
# bf16 and fp16: weights and maps in 16 bits.
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
DEVICES = ("cpu", "cuda")
REFERENCE_BACKEND = "eager"


@dataclass(frozen=True)
class Runtime:
    """A backend as it is asked to run: ``batch_size`` in images a call, ``threads`` inside one operation.

    ``options`` are those of the backend's own options that differ from their default, sorted by name and read-only.
    """

    backend: str
    device: str
    precision: str
    batch_size: int
    threads: int
    # A read-only mapping has no hash on the oldest Pythons; runtimes that differ in options alone are few.
    options: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(sorted(self.options.items()))))

    @property
    def text(self) -> str:
        """The backend with its options as a user writes it: ``compile`` or ``compile[mode=max-autotune]``."""
        return runtime_text(self.backend, self.options)


def runtime_text(backend: str, options: Mapping[str, str]) -> str:
    """A backend with its options as a user writes it."""
    return backend + (f"[{';'.join(f'{key}={value}' for key, value in options.items())}]" if options else "")
