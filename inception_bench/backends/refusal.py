"""Asking a backend what its engine cannot do on this machine, before anything is built. Standard library only."""

from __future__ import annotations

from inception_bench.backends.base import Backend
from inception_bench.processes.service import Unavailable


def refusal(backend: Backend, device: str, precision: str) -> str | None:
    """Why the backend's engine cannot compute in ``precision`` on this machine's ``device``; None where it can.

    Where the engine's own libraries cannot be loaded, that is the reason.
    """
    refuses = getattr(backend, "refuses", None)
    if refuses is None:
        return None
    try:
        reason: str | None = refuses(device, precision)
        return reason
    except (ImportError, OSError) as error:
        return f"{backend.name} cannot be loaded ({error})"


def refusals(backend: Backend, device: str | None = None) -> dict[str, dict[str, str]]:
    """The reasons by device and precision, for ``device`` or, with None, for all devices that the engine knows.

    The text is empty where the engine can compute in that precision on that device.
    """
    devices = backend.precisions if device is None else [device]
    return {
        name: {precision: refusal(backend, name, precision) or "" for precision in backend.precisions.get(name, ())}
        for name in devices
    }


def require(backend: Backend, device: str, precision: str) -> None:
    """Raises Unavailable, with the reason, where the backend's engine refuses the precision on the device."""
    reason = refusal(backend, device, precision)
    if reason:
        raise Unavailable(reason)
