"""A decision is explained after the mesh was stopped and started again: the contract promises it for an hour."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.running import RunningMesh, running
from tests.proofs.http import Reply, call

DECISION = "x-llm-mesh-decision"


def asked(mesh: RunningMesh, name: str) -> Reply:
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {mesh.project_key}"}
    return call(mesh.addresses["http"], "POST", "/v1/chat/completions", body, headers)


def test_decisions_of_answers_and_refusals_are_explained_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(tmp_path, data_dir=data) as mesh:
        replies = {name: asked(mesh, name) for name in ("sim-echo", "sim-embed")}
        key = mesh.project_key
        assert [reply.status for reply in replies.values()] == [200, 400]
    with running(tmp_path, data_dir=data) as mesh:
        for name, reply in replies.items():
            for what in (reply.headers[DECISION], reply.headers["x-request-id"]):
                told = mesh.cli("explain", what, "--key", key)
                assert told.returncode == 0, told.stderr
                assert reply.headers[DECISION] in told.stdout
                assert ("planned as a1" if name == "sim-echo" else "excluded: cannot generate") in told.stdout
        assert mesh.cli("explain", "0" * 16, "--key", key).returncode == 5
