"""A start says what it is at, and is ready once keys and models are there, and not before; with workers and without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import environment, free_port
from tests.proofs.http import Reply, call
from tests.proofs.stand import until
from tools.installing import Progress

CHAT = json.dumps({"model": "sim-echo", "messages": [{"role": "user", "content": "hello"}]}).encode()


def started(folder: Path, **env: str) -> tuple[subprocess.Popen[str], str]:
    """`up` with its panel, and where it will answer HTTP."""
    address = f"127.0.0.1:{free_port()}"
    words = ("up", "--http", address, "--grpc", "127.0.0.1:0", "--data-dir", str(folder / "data"))
    settings = environment({"LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}", **env})
    process = subprocess.Popen(
        [sys.executable, "-m", "llm_mesh_cli", *words],
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, address


def ready(address: str) -> Reply | None:
    try:
        return call(address, "GET", "/readyz")
    except OSError:
        return None


def replies(address: str) -> list[Reply]:
    """All answers of `/readyz` from the start on, until it is ready."""
    told: list[Reply] = []

    def done() -> bool:
        if reply := ready(address):
            told.append(reply)
        return bool(told) and told[-1].status == 200

    until(done, "the mesh is ready", 60.0)
    return told


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ready_means_that_a_newcomer_is_answered(tmp_path: Path, workers: str) -> None:
    for first in (True, False):
        process, address = started(tmp_path, LLM_MESH_WORKERS=workers)
        try:
            told = replies(address)
            key = (tmp_path / "data" / "project.key").read_text().strip()
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            answer = call(address, "POST", "/v1/chat/completions", CHAT, headers)
            assert answer.status == 200, answer.body
            assert told[-1].json()["services"] | {"setup/keys": True, "setup/models": True} == told[-1].json()["services"]
            assert all(reply.status == 503 and reply.json()["status"] == "unavailable" for reply in told[:-1])
        finally:
            process.terminate()
            said = process.communicate(timeout=60)[0]
        lines = [line for line in said.splitlines() if line.startswith("llm-mesh: ")]
        wanted = ["loading", "starting policy, ", "the first start makes keys" if first else "looking for new models"]
        wanted += ["waiting for 2 workers"] if workers == "2" else []
        assert [line.removeprefix("llm-mesh: ")[: len(text)] for line, text in zip(lines, wanted, strict=True)] == wanted
        assert said.index(wanted[-1]) < said.index("LLM Mesh serves")


def test_an_installation_tells_how_far_it_is(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1 \\\n    --hash=sha256:0\nb-c[x]==2 \\\n    --hash=sha256:1\n# d==3\n")
    progress = Progress(lock)
    assert (progress.total, "0 of 2 packages" in progress.text()) == (2, True)
    for line in ("Collecting a==1 (from -r x)\n", "  Downloading a.whl\n", "Requirement already satisfied: b-c==2 in x\n"):
        progress.read(line)
    assert "2 of 2 packages collected" in progress.text()
    progress.read("Installing collected packages: a, b-c\n")
    assert "installing 2 packages" in progress.text()
