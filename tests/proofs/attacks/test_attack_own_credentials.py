"""A provider that repeats the mesh's own credential, however it writes it, tells no caller; nor what it says about the mesh's account."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, rules_pb2, rules_pb2_grpc
from tests.proofs.attacks.listening import completion
from tests.proofs.stand import PROJECT, Stand, model, provider, stand

SECRET = "sk-own/credential+of\"the'mesh-4711"
ACCOUNT = "org-acme owes invoice 4711"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04X}" for character in text)


SPELLINGS = {
    "plain": json.dumps(SECRET)[1:-1],
    "slashes": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "escaped": escaped(SECRET),
    "half": json.dumps(SECRET)[1:-1][:9] + escaped(SECRET[9:]),
    "nested": json.dumps(json.dumps({"k": SECRET}))[1:-1],
    "base64": base64.b64encode(f"Bearer {SECRET}".encode()).decode(),
}


@contextmanager
def echoing() -> Iterator[str]:
    """A server that answers as the model's name says: a status, and how it spells the credential."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.headers["authorization"] == f"Bearer {SECRET}"
            status, spelling = asked["model"].split("-")
            said = SPELLINGS[spelling]
            if status != "200":
                body = f'{{"error": {{"message": "{ACCOUNT}: {said}", "code": "{said}", "type": "x"}}}}'
            elif asked.get("stream"):
                chunks = completion("@", streamed=True)
                body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).replace("@", said) + "data: [DONE]\n\n"
            else:
                body = json.dumps(completion("@")).replace("@", said)
            self.send_response(int(status))
            self.send_header("content-type", "text/event-stream" if body.startswith("data:") else "application/json")
            self.send_header("x-request-id", SECRET)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("credentials")
    with echoing() as address, provider(folder) as simulator:
        endpoint = json.dumps({"base_url": address, "local": True, "credential": "echo"})
        env = {"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_ECHO": endpoint, "LLM_MESH_ADAPTER_OPENAI_CREDENTIAL_ECHO": SECRET}
        with stand(folder, simulator, env) as made:
            statuses = ("200", "400", "401", "403", "500")
            made.put_models([model(f"e{status}-{name}", f"{status}-{name}", endpoint="echo") for status in statuses for name in SPELLINGS])
            yield made


def unescaped(text: str) -> str:
    """Everything that a reader can make of an answer: twice, for JSON within JSON."""
    found = [text]
    for _ in range(3):
        found.append(
            found[-1].encode("ascii", "backslashreplace").decode("unicode_escape", "replace").replace("\\/", "/").replace("\\", "")
        )
    return "\n".join(found)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", ["200", "400", "401", "403", "500"])
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_no_caller_learns_the_credential(mesh: Stand, status: str, spelling: str, way: str) -> None:
    body = {
        "model": f"e{status}-{spelling}",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": way == "streamed",
        "max_tokens": 9,
    }
    answer = mesh.ask(body)
    told = unescaped(answer.body.decode()) + json.dumps(dict(answer.headers))
    assert SECRET not in told
    assert base64.b64encode(f"Bearer {SECRET}".encode()).decode()[12:-8] not in told
    assert answer.status == 200 if status == "200" else answer.status >= 400
    if status in {"401", "403"}:
        assert "acme" not in told
        assert "does not admit the mesh" in told


def test_operators_learn_why_the_mesh_is_not_admitted(mesh: Stand) -> None:
    mesh.ask({"model": "e401-plain", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9})
    shown = mesh.mesh.cli("doctor").stdout
    if "does not admit" in shown:  # with workers another process may have been asked
        assert ACCOUNT in shown
    assert SECRET not in shown


def test_naming_a_project_opens_nothing(mesh: Stand) -> None:
    identity: Any = identity_pb2_grpc.IdentityServiceStub(mesh.channel)
    rules: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    project = identity_pb2.Project(name=PROJECT, allowed_models=["e200-plain"], strict_charging=True)
    mesh.apply_policy(projects=[project])
    mesh.apply_policy(projects=[identity_pb2.Project(name=PROJECT, display_name="Renamed")])
    kept = identity.GetProject(identity_pb2.GetProjectRequest(name=PROJECT), metadata=mesh.admin).project
    assert (list(kept.allowed_models), kept.strict_charging, kept.display_name) == (["e200-plain"], True, "Renamed")
    request = rules_pb2.ApplyPolicyRequest(parent="domains/platform", dry_run=True, projects=[identity_pb2.Project(name=PROJECT)])
    request.update_masks[PROJECT].paths.extend(["allowed_models", "strict_charging"])
    change = rules.ApplyPolicy(request, metadata=mesh.admin).changes[0]
    assert {field.path: field.loosens for field in change.fields} == {"allowed_models": True, "strict_charging": True}
    request.dry_run = False
    rules.ApplyPolicy(request, metadata=mesh.admin)
    opened = identity.GetProject(identity_pb2.GetProjectRequest(name=PROJECT), metadata=mesh.admin).project
    assert (list(opened.allowed_models), opened.strict_charging) == ([], False)
