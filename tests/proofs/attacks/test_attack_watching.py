"""Operators are told how the mesh is: every service, every provider by asking it, every breaker of every process, clocks and disks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.services import SERVICES as DECLARED
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, model, provider, stand
from tests.proofs.topology import topology

SECRET = "sk-of-the-watched-mesh"
ACCOUNT = "org-acme is suspended"
ANSWERS = {"good": (200, {"data": [{"id": "m"}]}), "refuses": (401, {"error": {"message": f"{ACCOUNT}, key {SECRET}"}}), "ends": (404, {})}
SERVICES = {each.name for each in DECLARED if each.in_mesh}
PROCESSES = {"workers": ("worker-1", "worker-2")}


@dataclass
class Watched:
    """Providers of different moods at one port, by the first part of the path."""

    address: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request, those with the credential alone."""
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def moody() -> Iterator[Watched]:
    watched = Watched()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            mood = self.path.split("/")[1]
            if self.headers["authorization"] == f"Bearer {SECRET}":
                watched.asked.append(("GET", self.path))
            if mood == "silent":
                watched.released.wait(20)
            self._say(*ANSWERS.get(mood, (500, {})))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._say(500, {})

        def _say(self, status: int, body: Any) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    watched.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        watched.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def providers() -> Iterator[Watched]:
    with moody() as watched:
        yield watched


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, providers: Watched) -> Iterator[Stand]:
    """A mesh with an endpoint for each mood."""
    folder: Path = tmp_path_factory.mktemp("watching")
    env = {"LLM_MESH_ADAPTER_OPENAI_CREDENTIAL_MOODY": SECRET}
    for mood in ("good", "refuses", "ends", "silent", "failing"):
        row = {"base_url": f"{providers.address}/{mood}/v1", "allow": ["127.0.0.0/8"], "credential": "moody"}
        env[f"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_{mood.upper()}"] = json.dumps(row)
    with provider(folder) as simulator, stand(folder, simulator, env) as made:
        made.put_models([model("failing", "failing-model", endpoint="failing")])
        yield made


def doctor(mesh: Stand, *words: str) -> tuple[int, list[dict[str, str]]]:
    done = mesh.mesh.cli("doctor", "--json", *words)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def about(findings: list[dict[str, str]], what: str, text: str) -> dict[str, str]:
    """The one finding of a kind that has the text."""
    found = [each for each in findings if each["what"] == what and text in each["value"]]
    assert len(found) == 1, [each for each in findings if each["what"] == what]
    return found[0]


def test_each_provider_is_asked_with_its_credential_for_as_long_as_was_said(mesh: Stand, providers: Watched) -> None:
    before = len(mesh.entries())
    code, findings = doctor(mesh, "--time-limit", "0.5")
    assert code == 1
    assert {path for _, path in providers.asked} >= {f"/{mood}/v1/models" for mood in ("good", "refuses", "ends", "silent", "failing")}
    assert len(mesh.entries()) == before, "asking costs nothing"
    good, refuses = about(findings, "providers", "good at"), about(findings, "providers", "refuses the credential")
    assert (good["state"], "takes the credential" in good["value"]) == ("ok", True)
    assert (refuses["state"], ACCOUNT in refuses["value"]) == ("fail", True)
    assert "cannot be told" in about(findings, "providers", "ends at")["value"]
    silent = about(findings, "providers", "silent at")
    assert (silent["state"], "PROVIDER_TIMEOUT" in silent["value"]) == ("fail", True)
    assert about(findings, "disk", "free")["state"] in {"ok", "warn"}
    assert about(findings, "clock", "agree")["state"] == "ok"


def test_no_provider_is_asked_where_that_is_not_wanted(mesh: Stand, providers: Watched) -> None:
    providers.asked.clear()
    _, findings = doctor(mesh, "--no-ask-providers")
    assert providers.asked == []
    about(findings, "providers", "were not asked")


def test_open_breakers_of_all_processes_are_told(mesh: Stand) -> None:
    wanted, found = PROCESSES.get(topology(), ("",)), set[str]()
    for _ in range(5):
        for _ in range(16):
            assert mesh.ask(chat_body("failing", "hi")).status >= 500
        _, findings = doctor(mesh, "--no-ask-providers")
        found = {each["value"] for each in findings if each["what"] == "breakers" and "failing-model is" in each["value"]}
        if all(any(each.endswith(process) for each in found) for process in wanted) and found:
            return
    pytest.fail(f"of {wanted}: {found}")


def test_health_has_every_service_and_ends_with_3_where_one_could_not_be_asked(mesh: Stand) -> None:
    done = mesh.mesh.cli("health", "--json", env={"LLM_MESH_ADDRESS_EDGE": mesh.mesh.addresses["http"]})
    states = json.loads(done.stdout)
    services = {name.split(".")[1] if name.startswith("llm_mesh.") else name for name in states}
    assert services >= SERVICES, done.stderr
    assert (done.returncode, set(states.values())) == (0, {True}), done.stderr
    partial = mesh.mesh.cli("health", "--data-dir", str(mesh.mesh.data_dir / "none"), "--address", mesh.mesh.grpc)
    assert partial.returncode == 3
    assert "could not ask " in partial.stderr
