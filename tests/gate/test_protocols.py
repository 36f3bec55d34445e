"""Duets against a revision whose worker has another protocol."""

from __future__ import annotations

import json

from inception_bench.gate.duet.order import Installed
from inception_bench.processes.protocol import PROTOCOL
from tests.gate.test_duet import _cache, commit_change, measure, repository

__all__ = ["_cache", "repository"]  # fixtures


def measured(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    found = measure(tmp_path / "out", Installed(revision="HEAD"))
    return found, json.loads((tmp_path / "out" / "records.jsonl").read_text())["body"]


def test_a_revision_from_before_there_were_protocols_is_measured(repository, tmp_path, monkeypatch):
    """Its worker tells none and answers less: neither an injected slow-down nor a device's seconds."""
    commit_change(repository, '            "protocol": PROTOCOL,\n', "", "worker.py")
    commit_change(repository, '            "busy_share": self.busy_share,\n', "", "worker.py")
    commit_change(repository, ', "device_s": None if clock is None else clock.seconds()}', "}", "worker.py")
    found, body = measured(repository, tmp_path, monkeypatch)
    assert (found.exit_code, body["outcome"], body["reason"]) == (0, "ok", "")
    assert body["pairs"][0]["busy_share"] == {"a": 0.0, "b": 0.0}
    assert set(body["sides"]["b"]["worker"]) == {"python", "pid", "versions", "hardware"}


def test_a_revision_of_tomorrow_is_one_clear_line(repository, tmp_path, monkeypatch):
    commit_change(repository, f"PROTOCOL = {PROTOCOL}\n", f"PROTOCOL = {PROTOCOL + 1}\n", "processes/protocol.py")
    found, body = measured(repository, tmp_path, monkeypatch)
    assert found.exit_code == 2
    assert (body["side"], body["stage"], body["outcome"]) == ("b", "load", "failed")
    assert body["reason"].startswith(f"the worker speaks protocol {PROTOCOL + 1}, this inception_bench 1 to {PROTOCOL}")
