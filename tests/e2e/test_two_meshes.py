"""Two meshes of one company, as examples/two-meshes starts them: over mutual TLS, charged twice, killed and back, never in a circle."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from openai import APIStatusError, OpenAI

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import admission_pb2, ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.e2e.running import environment, free_port

SCRIPT = Path(__file__).parents[2] / "examples/two-meshes/mesh.sh"
PATIENCE = 60.0
HELLO: Any = [{"role": "user", "content": "Hello from claims"}]


@dataclass
class Company:
    """Both meshes, and the folder that they are in."""

    folder: Path
    env: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def step(self, *words: str) -> str:
        """One step of the script, and what it says."""
        done = subprocess.run([SCRIPT, *words], env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def ask(self, mesh: str, *words: str) -> Any:
        """What a command against one of them answers as JSON."""
        return json.loads(self.step("ask", mesh, *words, "--json"))

    def start(self, mesh: str) -> None:
        """Runs it until it serves."""
        ready = self.folder / f"{mesh}.ready"
        ready.unlink(missing_ok=True)
        with (self.folder / f"{mesh}.log").open("ab") as log:
            process = self.running[mesh] = subprocess.Popen([SCRIPT, "start", mesh], env=self.env, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not ready.exists():
            assert process.poll() is None, (self.folder / f"{mesh}.log").read_text()
            assert time.monotonic() < deadline, (self.folder / f"{mesh}.log").read_text()
            time.sleep(0.01)

    def kill(self, mesh: str) -> None:
        """SIGKILL: nothing is put in order."""
        process = self.running.pop(mesh)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)

    @property
    def key(self) -> str:
        """That of an application of the claims unit."""
        return (self.folder / "triage.key").read_text().strip()

    def entries(self, mesh: str) -> list[Any]:
        """The ledger, newest first."""
        return list(self.ask(mesh, "requests", "list", "--domain", "claims"))

    def ledger_of_hq(self, request_id: str) -> list[usage_pb2.LedgerEntry]:
        """What headquarters' ledger has of a request, asked without a command."""
        pair = (self.folder / "claims.pem").read_bytes()
        credentials = grpc.ssl_channel_credentials((self.folder / "authority.pem").read_bytes(), pair, pair)
        key = (self.folder / "hq" / "admin.key").read_text().strip()
        with grpc.secure_channel(f"localhost:{self.env['HQ']}", credentials) as channel:
            ledger: Any = ledger_pb2_grpc.LedgerServiceStub(channel)  # type: ignore[arg-type]  # the stubs' types know only asyncio
            request = ledger_pb2.ListLedgerEntriesRequest(parent="domains/claims/projects/mesh", request_id=request_id)
            answer = ledger.ListLedgerEntries(request, metadata=(("authorization", f"Bearer {key}"),), timeout=PATIENCE)
        return list(answer.entries)

    def gateway(self) -> Any:
        """The mesh of the claims unit, as its applications have it."""
        return stub(grpc.insecure_channel(f"127.0.0.1:{self.env['CLAIMS']}"))

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.key}"),)


def stub(channel: grpc.Channel) -> Any:
    return gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[arg-type]  # the stubs' types know only asyncio


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    ports = {name: str(free_port()) for name in ("HQ", "CLAIMS", "HQ_HTTP", "CLAIMS_HTTP", "HQ_SIMULATOR", "CLAIMS_SIMULATOR")}
    env = environment({**ports, "FOLDER": str(folder), "LLM_MESH": f"{sys.executable} -m llm_mesh_cli", "LLM_MESH_GRACE": "2"})
    made = Company(folder, env)
    made.step("prepare")
    try:
        made.start("hq")
        made.step("apply", "hq")
        made.start("claims")
        made.step("apply", "claims")
        made.step("ask", "claims", "keys", "create", "--project", "claims/triage", "--principal", "claims/triage", "--save", "triage.key")
        yield made
    finally:
        for process in made.running.values():
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def openai(company: Company) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://127.0.0.1:{company.env['CLAIMS_HTTP']}/v1", api_key=company.key, max_retries=0, timeout=30) as client:
        yield client


@contextmanager
def losing_one_answer(upstream: int, settled: Callable[[], bool]) -> Iterator[int]:
    """A port that leads to another one. The first answer that is settled over there is lost: its connection breaks instead."""
    lost = threading.Event()

    def forward(source: socket.socket, target: socket.socket, *, back: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if back and not lost.is_set() and settled():  # a gateway settles before it answers
                    lost.set()
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", upstream)) as server:
            answers = threading.Thread(target=forward, args=(server, client), kwargs={"back": True})
            answers.start()
            forward(client, server, back=False)
            answers.join(PATIENCE)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(PATIENCE)
    assert lost.is_set(), "no answer was lost"


def said(text: str) -> content_pb2.Message:
    return content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


def test_an_answer_of_headquarters_is_charged_in_both_ledgers_apart(company: Company, openai: OpenAI) -> None:
    request_id = "a-request-of-both"
    answer = openai.chat.completions.create(model="summariser", messages=HELLO, extra_headers={"x-request-id": request_id})
    assert answer.choices[0].message.content == "Hello from claims"
    ours = next(entry for entry in company.entries("claims") if entry["requestId"] == request_id)
    theirs = next(entry for entry in company.entries("hq") if entry["requestId"] == request_id)
    (line,) = ours["lines"]
    upstream = line["usage"]["upstream"]
    assert upstream["charge"] == theirs["charged"]
    assert upstream["reservation"] == theirs["name"]
    assert int(ours["charged"]["nanos"]) * 2 == int(theirs["charged"]["nanos"]) * 3, "1.50 and 3 against 1 and 2"
    shown = company.step("ask", "claims", "requests", "show", ours["name"])
    assert f"a1: hq charged this mesh {int(theirs['charged']['nanos']) / 1e9:.9f}".rstrip("0") in shown


def test_streams_vectors_and_counts_come_through(company: Company, openai: OpenAI) -> None:
    chunks = list(openai.chat.completions.create(model="summariser", messages=HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello from claims"
    vectors = openai.embeddings.create(model="summariser", input=["a", "b"])
    assert len(vectors.data) == 2
    request = gateway_pb2.CountTokensRequest(input=generate_pb2.GenerateInput(model="summariser", messages=[said("Hello")]))
    counted = company.gateway().CountTokens(request, metadata=company.metadata, timeout=20)
    assert counted.count.input_tokens > 0
    item = embed_pb2.EmbedItem(text="a")
    embedded = company.gateway().Embed(
        gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(model="summariser", items=[item])), metadata=company.metadata, timeout=20
    )
    assert embedded.receipt.lines[0].usage.upstream.charge.nanos > 0


def test_bounds_of_a_request_hold_in_both_meshes(company: Company) -> None:
    source = generate_pb2.GenerateInput(model="summariser", messages=[said("Hello")])
    options = gateway_pb2.RequestOptions(bounds=admission_pb2.RequestBounds(regions=["eu"]))
    answer = company.gateway().Generate(gateway_pb2.GenerateRequest(input=source, options=options), metadata=company.metadata, timeout=20)
    assert answer.output.choices
    options.bounds.regions[:] = ["us"]
    with pytest.raises(grpc.RpcError) as raised:
        company.gateway().Generate(gateway_pb2.GenerateRequest(input=source, options=options), metadata=company.metadata, timeout=20)
    assert from_rpc_error(raised.value).reason_name == "NO_ELIGIBLE_TARGET"  # type: ignore[arg-type]


def test_a_retry_of_an_answer_that_was_lost_is_charged_once_there(company: Company, openai: OpenAI) -> None:
    def settled() -> bool:
        listed = company.ledger_of_hq("lost")
        return any(entry.state == usage_pb2.RESERVATION_STATE_SETTLED for entry in listed)

    with losing_one_answer(int(company.env["HQ"]), settled) as port:
        credential = ("--credential-file", str(company.folder / "claims.mesh-key"))
        certificates = ("--authorities", str(company.folder / "authority.pem"), "--client-certificate", str(company.folder / "claims.pem"))
        company.step(
            *("ask", "claims", "endpoints", "add", "mesh/lossy", "--base-url", f"https://localhost:{port}", "--local", "--no-test"),
            *credential,
            *certificates,
        )
        target = ("--adapter", "mesh", "--endpoint", "lossy", "--upstream", "claims/summariser", "--alias", "lossy")
        priced = ("--max-output-tokens", "4000", "--capability", "generate", "--price", "{input: 1, output: 2, source: test}")
        company.step("ask", "claims", "models", "create", "lossy", "--domain", "shared", *target, *priced)
        headers = {"x-request-id": "lost", "idempotency-key": "only-once"}
        answer = openai.chat.completions.create(model="lossy", messages=HELLO, extra_headers=headers)
    assert answer.choices[0].message.content == "Hello from claims"
    (charged,) = [entry for entry in company.entries("hq") if entry["requestId"] == "lost" and int(entry["charged"].get("nanos", 0))]
    (ours,) = [entry for entry in company.entries("claims") if entry["requestId"] == "lost"]
    lost, again = ours["lines"]
    assert lost["usage"]["errorReason"] == "PROVIDER_RESET"
    assert again["usage"]["upstream"]["replayed"]
    assert again["usage"]["upstream"]["reservation"] == charged["name"]
    assert "nanos" not in again["usage"]["upstream"]["charge"]


def test_meshes_that_point_at_each_other_refuse_and_charge_nothing(company: Company, openai: OpenAI) -> None:
    to_claims = (
        "--base-url",
        f"http://localhost:{company.env['CLAIMS']}",
        "--local",
        "--credential-file",
        str(company.folder / "triage.key"),
    )
    company.step("ask", "hq", "endpoints", "add", "mesh/claims", *to_claims)
    price = ("--capability", "generate", "--price", "{input: 1, output: 2, source: circle}")
    at_hq = ("--domain", "shared", "--adapter", "mesh", "--endpoint", "claims", "--upstream", "circle", "--alias", "claims-circle")
    company.step("ask", "hq", "models", "create", "circle", *at_hq, *price)
    here = ("--domain", "shared", "--adapter", "mesh", "--endpoint", "hq", "--upstream", "claims-circle", "--alias", "circle")
    company.step("ask", "claims", "models", "create", "circle", *here, *price)
    with pytest.raises(APIStatusError) as refused:
        openai.chat.completions.create(model="circle", messages=HELLO, timeout=15, extra_headers={"x-request-id": "round"})
    assert refused.value.code == "request_loops"
    assert refused.value.status_code == 508
    for mesh in ("claims", "hq"):
        entries = [entry for entry in company.entries(mesh) if entry["requestId"] == "round"]
        assert [int(entry.get("charged", {}).get("nanos", 0)) for entry in entries] == [0], mesh


def test_headquarters_killed_and_back_serves_again_and_nothing_stays_held(company: Company, openai: OpenAI) -> None:
    openai.chat.completions.create(model="summariser", messages=HELLO)
    company.kill("hq")
    with pytest.raises(APIStatusError) as failed:
        openai.chat.completions.create(model="summariser", messages=HELLO)
    assert failed.value.status_code == 503
    company.start("hq")
    deadline = time.monotonic() + PATIENCE
    failures: set[int] = set()
    while (answer := answer_of(openai, failures)) is None:
        assert time.monotonic() < deadline
    assert answer == "Hello from claims"
    assert failures <= {503}
    by_certificate = ("--authorities", str(company.folder / "authority.pem"), "--client-certificate", str(company.folder / "claims.pem"))
    added = company.step(
        "ask",
        "claims",
        "endpoints",
        "add",
        "mesh/certified",
        "--base-url",
        f"https://localhost:{company.env['HQ']}",
        "--local",
        *by_certificate,
    )
    assert "mesh/certified: admitted" in added, "from its second start on headquarters takes the certificate for the key"
    assert not [entry for entry in company.entries("claims") if entry["state"] == "RESERVATION_STATE_HELD"]


def answer_of(openai: OpenAI, failures: set[int]) -> str | None:
    """The answer; None where the request fails, whose status is noted."""
    try:
        return openai.chat.completions.create(model="summariser", messages=HELLO).choices[0].message.content
    except APIStatusError as error:
        failures.add(error.status_code)
        return None


def test_without_a_certificate_headquarters_answers_nobody(company: Company) -> None:
    channel = grpc.secure_channel(
        f"localhost:{company.env['HQ']}", grpc.ssl_channel_credentials((company.folder / "authority.pem").read_bytes())
    )
    with pytest.raises(grpc.RpcError) as raised:
        stub(channel).ListModels(gateway_pb2.ListModelsRequest(), metadata=company.metadata, timeout=10)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
