"""`make up` looks at its ports before it installs anything."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_mesh_runtime.settings import MeshSettings
from llm_mesh_simulator.settings import Settings as SimulatorSettings
from tests.architecture.repository import ROOT
from tools import ports
from tools.installing import Progress

FREE = {"LLM_MESH_HTTP": "127.0.0.1:0", "LLM_MESH_GRPC": "127.0.0.1:0", "LLM_MESH_SIMULATOR_ADDRESS": "127.0.0.1:0"}


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_free_ports_are_passed_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert ports.main([], FREE) == 0
    assert not "".join(capsys.readouterr())


@pytest.mark.parametrize(("arguments", "setting"), [(["--quiet", "--http"], "LLM_MESH_HTTP"), (["--grpc"], "LLM_MESH_GRPC")])
def test_a_port_that_is_taken_is_told_with_what_names_another(
    taken: str, arguments: list[str], setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ports.main([*arguments, taken], FREE) == 1
    said = capsys.readouterr().err
    assert f"cannot listen on {taken}" in said
    assert f"{setting}=HOST:PORT" in said
    assert ports.main([], FREE | {setting: taken}) == 1


def test_what_a_file_may_set_is_left_to_the_mesh(taken: str) -> None:
    assert ports.main([], FREE | {"LLM_MESH_HTTP": taken, "LLM_MESH_CONFIG": "mesh.toml"}) == 0


def test_the_ports_are_those_of_the_settings_and_only_a_first_start_looks() -> None:
    usual = {setting: address for _, _, setting, address in ports.ADDRESSES}
    settings = MeshSettings()
    assert usual == {
        "LLM_MESH_HTTP": settings.http,
        "LLM_MESH_GRPC": settings.grpc,
        "LLM_MESH_SIMULATOR_ADDRESS": SimulatorSettings().address,
    }
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^up: BEFORE_INSTALL = .*tools/ports\.py \$\(ARGS\)$", makefile, re.MULTILINE)
    assert re.search(r"^\$\(VENV\)/\.locked: .*\n\t@\$\(BEFORE_INSTALL\)$", makefile, re.MULTILINE)


def test_an_installation_has_a_line_at_each_fifth_and_step(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"p{number}==1\n" for number in range(10)))
    progress, steps = Progress(lock), set()
    for _ in range(10):
        progress.read("Collecting p\n")
        steps.add(progress.step)
    progress.read("Installing collected packages: p\n")
    assert len(steps | {progress.step}) == 7
