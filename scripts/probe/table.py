"""The probe's answer as a short table for people."""

from __future__ import annotations

from typing import Any


def table_lines(answer: dict[str, Any]) -> list[str]:
    """About forty lines: what each section found, or why it found nothing."""
    lines = [f"probe of {answer['device']}{' (small)' if answer['small'] else ''}: {answer['wall_s']:.1f} s"]
    for name, section in answer["sections"].items():
        lines.append(
            f"{name}: {section.get('wall_s', 0.0):.1f} s"
            + (f"  ERROR {section['error']}" if "error" in section else "")
        )
        value = section.get("partial", section)
        try:
            lines += ["  " + line for line in _LINES[name](value)]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            # A section that was cut short lacks what its lines are made of; the file has the rest.
            lines.append(f"  (no more to show: {type(error).__name__} {error})")
    return lines


def _machine(value: dict[str, Any]) -> list[str]:
    host, gpu, nvml = value["host"], value.get("gpu", {}), value.get("nvml", {})
    lines = [f"{host['cpu']}, {host['usable_cores']} cores, torch {host['torch']}, python {host['python']}"]
    if "name" in gpu:
        lines.append(
            f"{gpu['name']}, {gpu['multi_processor_count']} SMs, L2 {gpu['L2_cache_size']} bytes, cudnn {gpu['cudnn']}"
        )
    lines.append(f"nvml: {nvml['error']}" if "error" in nvml else f"driver {nvml['facts']['driver']}")
    load = value.get("under_load", {})
    state = load.get("state_last", {})
    lines.append(f"load: {load.get('macs_s')} MACs/s, clock {state.get('sm_clock_hz')} Hz, {state.get('power_w')} W")
    lines.append(f"energy counter: {load.get('energy_changes')} changes, every {load.get('energy_interval_s')} s")
    return lines


def _ceilings(value: dict[str, Any]) -> list[str]:
    best = value["best"]
    lines = []
    for kind in ("matrix_product", "convolution"):
        for precision, entry in best.get(kind, {}).items():
            highest = entry["macs_s_highest"] / 1e12
            lines.append(
                f"{kind:15}{precision:5}{entry['macs_s'] / 1e12:10.3f} (highest {highest:.3f}) TMAC/s  {entry['what']}"
            )
    if "copy" in best:
        lines.append(f"copy {best['copy']['bytes_s'] / 1e9:.1f} GB/s (read + written)  {best['copy']['what']}")
    for name, entry in value["launch"].items():
        if isinstance(entry, dict):
            lines.append(f"{name} {entry['median_s'] * 1e6:.2f} us")
    return [*lines, f"left out: {len(value['left_out'])}"]


def _parity(value: dict[str, Any]) -> list[str]:
    lines = []
    for entry in value["worst"]:
        way = ("search" if entry["benchmark"] else "heuristic") + (", deterministic" if entry["deterministic"] else "")
        error = "none" if entry["parity_error"] is None else f"{entry['parity_error']:.2e}"
        holds = {True: "holds", False: "FAILS", None: "no limit"}[entry["holds"]]
        whose = f"{entry['network']} b{entry['batch_size']}"
        lines.append(
            f"{entry['precision']} {way}: worst {error} ({whose}) of {entry['jobs']}, {entry['failed']} failed: {holds}"
        )
    lines.append(f"float64 GPU against CPU: {value['reference_check']}")
    lines += [
        f"{entry['network']} b{entry['batch_size']}: {entry['winograd']} Winograd kernels" for entry in value["kernels"]
    ]
    return [*lines, "left out: " + ", ".join(f"{len(jobs)} {role}" for role, jobs in value["left_out"].items())]


def _alternating(value: dict[str, Any]) -> list[str]:
    lines = []
    for size, found in value["batches"].items():
        for name, ratio in found.get("ratios", {}).items():
            host, device = (found[name]["a"][clock]["median_s"] * 1e3 for clock in ("host_s", "device_s"))
            against = f"{ratio['host_s']:.3f} and {ratio['device_s']:.3f} of alone"
            lines.append(f"b{size} {name:12} host {host:.3f} ms, device {device:.3f} ms: {against}")
    return lines


def _first_calls(value: dict[str, Any]) -> list[str]:
    return [f"{way}: {_short(found)}" for way, found in value["ways"].items()]


def _short(found: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {entry:.4g}" if isinstance(entry, float) else f"{key} {entry}" for key, entry in found.items()
    )


_LINES = {
    "machine": _machine,
    "ceilings": _ceilings,
    "parity": _parity,
    "alternating": _alternating,
    "first_calls": _first_calls,
}
