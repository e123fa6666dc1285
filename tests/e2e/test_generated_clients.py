"""Strangers in Go and TypeScript, with generated code alone, are answered, streamed to, charged and refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import RunningMesh
from tests.engines import program

CLIENTS = Path(__file__).with_name("clients")
LANGUAGES = {"go": ("Go", "Unauthenticated"), "typescript": ("TypeScript", "Unauthenticated")}


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The client in Go."""
    built = tmp_path_factory.mktemp("go") / "client"
    command = [program("go", "`make engines` obtains it"), "build", "-mod=readonly", "-o", str(built), "."]
    subprocess.run(command, cwd=CLIENTS / "go", check=True, env={**os.environ, "GOFLAGS": ""})
    return [str(built)]


@pytest.fixture(scope="session")
def typescript() -> list[str]:
    """The client in TypeScript, compiled with every check on."""
    npm, node = program("npm", "`make engines` obtains it"), program("node", "`make engines` obtains it")
    folder = CLIENTS / "typescript"
    subprocess.run([npm, "ci", "--silent", "--ignore-scripts", "--prefer-offline"], cwd=folder, check=True)
    shutil.rmtree(folder / "dist", ignore_errors=True)
    subprocess.run([npm, "run", "--silent", "build"], cwd=folder, check=True)
    return [node, str(folder / "dist/main.js")]


def ran(command: list[str], mesh: RunningMesh) -> dict[str, Any]:
    environment = {**os.environ, "ADDRESS": mesh.address("gateway"), "KEY": mesh.project_key, "AUTHORITY": mesh.authority}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_of_generated_code_is_answered_streamed_to_charged_and_refused(
    language: str, mesh: RunningMesh, request: pytest.FixtureRequest
) -> None:
    name, unauthenticated = LANGUAGES[language]
    seen = ran(request.getfixturevalue(language), mesh)
    assert seen["whole"] == f"hello from {name}"
    assert seen["streamed"] == f"a stream of words for {name}"
    assert seen["finished"] is True
    assert seen["messages"] > 1
    assert seen["charged_nanos"] > 0
    assert seen["stream_charged_nanos"] > 0
    assert seen["reservation"].startswith("domains/default/projects/default/reservations/")
    assert seen["refusal_code"] == unauthenticated
    assert seen["refusal"] == "INVALID_CREDENTIAL"
