"""Each tutorial for a mesh in one process, and each page about a client, is taken step by step, and prints what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT
from tests.e2e.running import RunningMesh, running
from tests.engines import program
from tests.operations.pages import Step, steps

TUTORIALS = ROOT / "docs" / "tutorials"
EMBEDDED = (
    "tutorials/first-call",
    "tutorials/first-policy",
    "tutorials/first-prompt",
    "clients/openai-responses",
    "clients/google",
    "clients/images-sound-and-moderation",
)
START = "make up\n"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """What `make up` starts, with its data where the tutorials say."""
    program("curl", "install the package `curl`")
    folder = tmp_path_factory.mktemp("tutorials")
    with running(folder, data_dir=folder / ".llm-mesh") as started:
        yield started


def take(step: Step, mesh: RunningMesh) -> str:
    """Run a step where the mesh was started, with the ports that it has; what it prints."""
    text = re.sub(r"127\.0\.0\.1:8080\b", mesh.addresses["http"], step.commands)
    command = [sys.executable, "-c", text] if step.language == "python" else ["/bin/sh", "-euc", text]
    env = {**mesh.env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=mesh.data_dir.parent, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{step.commands}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("name", EMBEDDED)
def test_each_step_prints_what_the_tutorial_shows(name: str, mesh: RunningMesh) -> None:
    taken = [step for step in steps(ROOT / "docs" / f"{name}.md") if step.commands != START]
    assert taken
    for step in taken:
        output = take(step, mesh)
        assert step.is_as_shown(output), f"{step.commands}\nprinted\n{output}\nbut the page shows\n{step.output}"


def test_the_first_tutorial_starts_the_mesh_by_make() -> None:
    assert steps(TUTORIALS / "first-call.md")[0].commands == START
    assert re.search(r"^up: install .*\n\t\$\(BIN\)/llm-mesh up \$\(ARGS\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("output", "same"), [("a 12 b\n", True), ("a 12\n", False), ("x a 1 b", False)])
def test_an_output_is_compared_with_the_page(output: str, *, same: bool) -> None:
    assert Step("sh", "", "a … b\n").is_as_shown(output) is same
