"""Strangers in Go, TypeScript and Java, with the contracts alone, are answered, streamed to, charged and refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.architecture.repository import ROOT
from tests.e2e.running import RunningMesh
from tests.engines import program

CLIENTS = ROOT / "examples"
LANGUAGES = {"go": ("Go", "Unauthenticated"), "typescript": ("TypeScript", "Unauthenticated"), "java": ("Java", "UNAUTHENTICATED")}


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


@pytest.fixture(scope="session")
def java() -> list[str]:
    """The client in Java. Its build makes the classes from the contracts; what has not changed is not made again."""
    how = "install the packages `default-jdk-headless`, `maven` and `protobuf-compiler-grpc-java-plugin`"
    maven, plugin, machine, _ = (program(name, how) for name in ("mvn", "grpc_java_plugin", "java", "javac"))
    folder = CLIENTS / "java"
    subprocess.run([maven, "-q", "-B", f"-Dgrpc.plugin={plugin}", "process-classes"], cwd=folder, check=True)
    classes = os.pathsep.join([str(folder / "target/classes"), str(folder / "target/dependency/*")])
    return [machine, "-cp", classes, "dev.llm_mesh.examples.Client"]


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
