"""Asking an engine what it cannot do on this machine, before anything is built for it. Standard library only."""

from __future__ import annotations

from inception_bench.backends.base import Backend
from inception_bench.processes.service import Unavailable


def refusal(backend: Backend, device: str, precision: str) -> str | None:
    """Why this machine cannot do ``precision`` on ``device`` with the backend, or None.

    An engine whose own libraries cannot be loaded when it is asked has answered by that.
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
    """The refusal of each precision on ``device``, or on each that the engine knows; empty where it can."""
    devices = backend.precisions if device is None else [device]
    return {
        name: {precision: refusal(backend, name, precision) or "" for precision in backend.precisions.get(name, ())}
        for name in devices
    }


def require(backend: Backend, device: str, precision: str) -> None:
    """Raises Unavailable with the engine's reason where it refuses."""
    reason = refusal(backend, device, precision)
    if reason:
        raise Unavailable(reason)
