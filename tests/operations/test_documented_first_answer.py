"""Separate services get to their first answer by the steps of their tutorial as they stand there, and by nothing else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.deploy.compose import described
from tests.e2e.running import environment, free_port
from tests.engines import program
from tests.operations import pages

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorials/separate-deployment.md"
PATIENCE = 240


def steps() -> str:
    """The commands of the tutorial."""
    (step,) = pages.steps(PAGE)
    return step.commands


def link_of(service: Any) -> str:
    return str(service.folder).replace("adapters/", "adapter/")


def moved() -> tuple[dict[str, str], dict[int, int]]:
    """Settings that give every service a free port, and the free port of each usual one."""
    ports = {each.port: free_port() for each in described()}
    settings: dict[str, str] = {}
    for each in described():
        name = link_of(each).upper().replace("/", "_")
        if each.has_contract:
            settings[f"LLM_MESH_PORT_{name}"] = str(ports[each.port])
            if name == "GATEWAY":
                ports[each.port + 100] = free_port()
                settings["LLM_MESH_PUBLIC_PORT_GATEWAY"] = str(ports[each.port + 100])
    settings["LLM_MESH_HTTP"] = f"127.0.0.1:{ports[8080]}"
    settings["LLM_MESH_SIMULATOR_ADDRESS"] = f"127.0.0.1:{ports[8099]}"
    return settings, ports


@dataclass(frozen=True)
class Run:
    """What came of the steps, while the services that they started run on."""

    answer: str
    folder: Path
    env: Mapping[str, str]
    public: str

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command line, with one address and the files that the steps have left."""
        command = [str(Path(sys.executable).with_name("llm-mesh")), *words]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=120)

    def key(self, name: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {(self.folder / '.llm-mesh' / name).read_text().strip()}"),)


@contextmanager
def taken(folder: Path) -> Iterator[Run]:
    """Take the steps, with every port moved, and end what they started."""
    program("curl", "install the package `curl`")
    settings, ports = moved()
    text = re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda port: str(ports[int(port[0])]), steps())
    env = environment({**settings, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    log = folder / "services.log"
    with (
        log.open("w") as written,
        subprocess.Popen(
            ["/bin/sh", "-euc", text], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=written, start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            process.wait(PATIENCE)
            said = os.read(process.stdout.fileno(), 1_000_000).decode()
            assert process.returncode == 0, f"{said}\n{log.read_text()}"
            public = f"127.0.0.1:{ports[50151]}"
            yield Run(said, folder, {**env, "LLM_MESH_ADDRESS": public}, public)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.stdout.read()  # it ends when the last of the services has ended, which all hold it


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with taken(tmp_path_factory.mktemp("steps")) as made:
        yield made


def test_the_steps_lead_to_an_answer(run: Run) -> None:
    answer = json.loads(run.answer.strip().splitlines()[-1])
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_the_edge_is_ready_after_the_steps(run: Run) -> None:
    with urllib.request.urlopen(f"http://{run.env['LLM_MESH_HTTP']}/readyz", timeout=10) as answer:
        assert answer.status == 200
        told = json.loads(answer.read())
    assert told["services"] == dict.fromkeys(("edge", "gateway", "policy", "router", "setup/keys", "setup/models"), True)


def test_one_address_suffices_for_the_command_line(run: Run) -> None:
    for words in (
        ["models", "list"],
        ["spend"],
        ["doctor", "--help"],
        ["keys", "list"],
        ["health", "--without", "edge"],
        ["budgets", "list"],
        ["adapters", "list"],
    ):
        done = run.cli(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    assert "sim-echo" in run.cli("models", "list").stdout
    states = json.loads(run.cli("health", "--json", "--without", "edge").stdout)
    assert {name: states.get(name) for name in ("policy", "registry", "adapter/openai")} == dict.fromkeys(
        ("policy", "registry", "adapter/openai"), True
    )


def test_setup_leaves_what_is_there_alone(run: Run) -> None:
    before = (run.folder / ".llm-mesh/project.key").read_text()
    done = run.cli("setup", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["new_key"], told["new_models"]) == (False, 0)
    dialects = ("anthropic", "cohere", "gemini", "ollama", "responses")
    assert {"simulator", *(f"simulator-{each}" for each in dialects)} <= set(told["providers"])
    assert (run.folder / ".llm-mesh/project.key").read_text() == before


def test_only_the_gateway_has_a_public_listener(run: Run) -> None:
    lines = (json.loads(line) for line in (run.folder / "services.log").read_text().splitlines() if line.startswith("{"))
    listening = {name for line in lines if line.get("event") == "serving" for name in line["addresses"]}
    assert {name for name in listening if name.endswith("#mesh")} == {f"{link_of(each)}#mesh" for each in described() if each.has_contract}
    assert {name for name in listening if name.endswith("#public")} == {"gateway#public"}


def test_the_gateway_passes_calls_on_with_the_callers_credential(run: Run) -> None:
    with grpc.insecure_channel(run.public) as channel:
        stub: Any = registry_pb2_grpc.RegistryServiceStub(channel)  # type: ignore[arg-type]  # stubs know only channels of asyncio
        request = registry_pb2.ListWellKnownModelsRequest(page_size=1)
        assert stub.ListWellKnownModels(request, metadata=run.key("admin.key"), timeout=30).models
        for metadata, code in ((None, "UNAUTHENTICATED"), (run.key("project.key"), "PERMISSION_DENIED")):
            with pytest.raises(grpc.RpcError) as refused:
                stub.ListWellKnownModels(request, metadata=metadata, timeout=30)
            assert refused.value.code().name == code
