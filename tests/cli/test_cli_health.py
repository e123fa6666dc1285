"""`health` asks every service that the mesh has, says which it could not ask, and works under TLS as documented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from llm_mesh.services import SERVICES
from tests.cli.inside import within
from tests.contract.certificates import authority
from tests.e2e.running import RunningMesh, free_port, running

MESH = {each.name for each in SERVICES if each.in_mesh}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh whose listener shows a certificate, of an authority that peers are checked against: as docs/operations.md has it."""
    folder: Path = tmp_path_factory.mktemp("secured")
    files = {f"LLM_MESH_{name.upper()}": path for name, path in authority(folder)("gateway").items()}
    with running(folder, env=files) as started:
        yield within(started)


def services(states: dict[str, bool | None]) -> set[str]:
    return {name.split(".")[1] if name.startswith("llm_mesh.") else name for name in states}


def test_health_has_every_service_the_edge_and_adapters_included(cli_mesh: RunningMesh) -> None:
    done = cli_mesh.cli("health", "--json")
    states = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert services(states) >= MESH
    assert set(states.values()) == {True}


def test_what_could_not_be_asked_is_named_with_its_setting_and_ends_with_3(cli_mesh: RunningMesh) -> None:
    """Elsewhere than in the data directory nobody says where the edge is; only administrators hear of it by the gateway."""
    assert cli_mesh.cli("health", "--address", cli_mesh.grpc).returncode == 0
    elsewhere = ("--address", cli_mesh.grpc, "--key", cli_mesh.project_key)
    done = cli_mesh.cli("health", *elsewhere)
    assert done.returncode == 3
    assert "could not ask edge" in done.stderr
    assert "LLM_MESH_ADDRESS_EDGE" in done.stdout
    assert json.loads(cli_mesh.cli("health", "--json", *elsewhere).stdout)["edge"] is None
    assert cli_mesh.cli("health", *elsewhere, "--without", "edge").returncode == 0
    found = cli_mesh.cli(
        "health",
        "--key",
        cli_mesh.project_key,
        env={"LLM_MESH_ADDRESS": cli_mesh.grpc, "LLM_MESH_ADDRESS_EDGE": cli_mesh.addresses["http"]},
    )
    assert found.returncode == 0, found.stderr


def test_a_service_that_does_not_answer_is_named_beside_those_that_do(cli_mesh: RunningMesh) -> None:
    done = cli_mesh.cli("health", env={"LLM_MESH_ADDRESS_CONSOLE2": f"127.0.0.1:{free_port()}"})
    assert done.returncode == 3
    assert "no answer from console2" in done.stderr
    assert "llm_mesh.policy.v1.LedgerService" in done.stdout


def test_where_nobody_answers_health_and_doctor_say_what_is_wrong_with_the_address(cli_mesh: RunningMesh) -> None:
    nowhere, spelt = f"127.0.0.1:{free_port()}", "http://127.0.0.1:50051"
    for address, wrong in (
        (nowhere, f"no mesh answers at {nowhere}, which --address says"),
        (spelt, f"--address is {spelt}, which is no gRPC"),
    ):
        silent = cli_mesh.cli("health", "--address", address)
        assert (silent.returncode, "no answer from gateway" in silent.stderr, "remedy: " in silent.stderr) == (3, True, True)
        assert wrong in silent.stderr
        findings = json.loads(cli_mesh.cli("doctor", "--address", address, "--no-ask-providers", "--json").stdout)
        (found,) = [each for each in findings if each["what"] == "mesh"]
        assert wrong in found["value"]
        assert "host:port" in found["remedy"]


class Draining(BaseHTTPRequestHandler):
    """An edge that takes no work."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_an_edge_that_does_not_take_work_is_not_serving(cli_mesh: RunningMesh) -> None:
    with HTTPServer(("127.0.0.1", 0), Draining) as draining:
        threading.Thread(target=draining.handle_request, daemon=True).start()
        done = cli_mesh.cli("health", env={"LLM_MESH_ADDRESS_EDGE": f"127.0.0.1:{draining.server_port}"})
    assert (done.returncode, "not serving edge" in done.stderr) == (3, True)


def test_health_and_other_commands_work_under_tls(secured: RunningMesh) -> None:
    done = secured.cli("health", "--json")
    assert done.returncode == 0, done.stderr
    assert services(json.loads(done.stdout)) >= MESH
    assert secured.cli("models", "list").returncode == 0


def test_without_the_authority_of_the_mesh_nothing_is_told_as_serving(secured: RunningMesh) -> None:
    done = secured.cli("health", env={"LLM_MESH_TLS_CA": ""})
    assert (done.returncode, "no answer from gateway" in done.stderr) == (3, True)
