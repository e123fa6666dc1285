"""The stand of a proof: a mesh as its users have it, a provider whose own log outlives the mesh, and the ways to look both up."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import OpenAI

from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, ledger_pb2_grpc, rules_pb2, rules_pb2_grpc, usage_pb2
from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.e2e.running import RunningMesh, environment, free_port
from tests.proofs.http import Reply, call
from tests.proofs.topology import started

PROJECT = "domains/default/projects/default"
EVERYWHERE = "domains/default/projects/-"
INPUT_PRICE = 100_000_000
OUTPUT_PRICE = 400_000_000
PATIENCE = 30.0


def until(done: Callable[[], Any], what: str, time_limit: float = PATIENCE, pause: float = 0.005) -> Any:
    """The first true answer of `done`; fails where none comes in time."""
    deadline = time.monotonic() + time_limit
    while True:
        if found := done():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {time_limit:g} s: {what}")
        time.sleep(pause)


@dataclass
class Provider:
    """The simulator in a process of its own."""

    address: str
    log_path: Path

    def log(self, **only: str) -> list[dict[str, Any]]:
        """The lines of its log, oldest first; those that have all of the given values."""
        lines = (json.loads(line) for line in self.log_path.read_text().splitlines())
        return [line for line in lines if all(line.get(name) == value for name, value in only.items())]

    def received(self, request: str) -> list[dict[str, Any]]:
        """What it received of one request of the mesh."""
        return [line for line in self.log(event="received") if request_of(line) == request]

    def served(self, line: Mapping[str, Any]) -> dict[str, Any] | None:
        """How the answer to a received line ended. None: it has not yet."""
        found = self.log(event="served", id=str(line["id"]))
        return found[0] if found else None

    def behave(self, model: str, **fields: Any) -> None:
        """Set how it treats a model id."""
        answer = call(self.address, "PUT", f"/_simulator/behaviours/{model}", json.dumps(fields).encode())
        assert answer.status < 300, answer.body


@contextmanager
def provider(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Provider]:
    """Start the simulator alone, and end it."""
    address = f"127.0.0.1:{free_port()}"
    log, output = folder / "provider.log.jsonl", folder / "provider.out"
    env = environment(
        {"LLM_MESH_SIMULATOR_ADDRESS": address, "LLM_MESH_SIMULATOR_LOG_PATH": str(log), "LLM_MESH_HTTP": "127.0.0.1:0", **(settings or {})}
    )
    with (
        output.open("a") as written,
        subprocess.Popen([sys.executable, "-m", "llm_mesh_simulator"], env=env, stdout=written, stderr=written, cwd=folder) as process,
    ):
        try:
            until(lambda: _answers(address), f"the simulator serves:\n{output.read_text()}")
            yield Provider(address, log)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def request_of(line: Mapping[str, Any]) -> str:
    """The mesh's id of a request, as it reached the provider."""
    return str(line.get("x-llm-mesh-request-id") or line.get("x-request-id") or "")


def _answers(address: str) -> bool:
    try:
        return call(address, "GET", "/healthz").status == 200
    except OSError:
        return False


@dataclass
class Stand:
    """A running mesh and its provider."""

    mesh: RunningMesh
    provider: Provider
    channel: Any
    """To the public gRPC listener; the stubs' types know only channels of asyncio."""
    _clients: list[OpenAI] = field(default_factory=list)

    @property
    def admin(self) -> tuple[tuple[str, str], ...]:
        """Metadata of the administrator."""
        return bearer(self.mesh.admin_key)

    @property
    def user(self) -> tuple[tuple[str, str], ...]:
        """Metadata of the first project's application."""
        return bearer(self.mesh.project_key)

    def ask(
        self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None, path: str = "/v1/chat/completions"
    ) -> Reply:
        """A request over HTTP, with a connection of its own."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "authorization": f"Bearer {self.mesh.project_key if key is None else key}"}
        return call(self.mesh.addresses["http"], "POST", path, raw, sent | dict(headers or {}))

    def entries(
        self, request: str = "", state: usage_pb2.ReservationState = usage_pb2.RESERVATION_STATE_UNSPECIFIED, parent: str = EVERYWHERE
    ) -> list[usage_pb2.LedgerEntry]:
        """Entries of the ledger, newest first."""
        stub: Any = ledger_pb2_grpc.LedgerServiceStub(self.channel)
        found: list[usage_pb2.LedgerEntry] = []
        token = ""
        while True:
            wanted = ledger_pb2.ListLedgerEntriesRequest(parent=parent, page_size=1000, page_token=token, state=state, request_id=request)
            answer = stub.ListLedgerEntries(wanted, metadata=self.admin, timeout=PATIENCE)
            found += answer.entries
            token = answer.next_page_token
            if not token:
                return found

    def entry(self, request: str) -> usage_pb2.LedgerEntry:
        """The one entry of a request, once nothing is held for it any more."""

        def ended() -> list[usage_pb2.LedgerEntry]:
            found = self.entries(request)
            return [] if any(entry.state == usage_pb2.RESERVATION_STATE_HELD for entry in found) else found

        found = until(ended, f"the ledger ends {request}")
        assert len(found) == 1, f"{len(found)} entries of {request}"
        entry: usage_pb2.LedgerEntry = found[0]
        return entry

    def budget(self, project: str = PROJECT) -> ledger_pb2.Budget:
        """How the budget of a project stands."""
        wanted = ledger_pb2.GetBudgetRequest(name=f"{project}/budget")
        stub: Any = ledger_pb2_grpc.LedgerServiceStub(self.channel)
        found: ledger_pb2.Budget = stub.GetBudget(wanted, metadata=self.admin, timeout=PATIENCE).budget
        return found

    def put_budget(self, nanos: int, project: str = PROJECT) -> None:
        """How much a project may spend in all."""
        budget = ledger_pb2.Budget(name=f"{project}/budget", period=ledger_pb2.BUDGET_PERIOD_TOTAL)
        budget.amount.currency, budget.amount.nanos = "USD", nanos
        ledger_pb2_grpc.LedgerServiceStub(self.channel).PutBudget(ledger_pb2.PutBudgetRequest(budget=budget), metadata=self.admin)

    def put_models(self, models: Sequence[registry_pb2.Model], routes: Sequence[router_pb2.Route] = ()) -> None:
        """Make models and routes known, and wait until the router knows them."""
        registry: Any = registry_pb2_grpc.RegistryServiceStub(self.channel)
        registry.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", models=models), metadata=self.admin)
        if routes:
            router: Any = router_pb2_grpc.RouterServiceStub(self.channel)
            router.ApplyRoutes(router_pb2.ApplyRoutesRequest(parent="domains/platform", routes=routes), metadata=self.admin)
        wanted = {item.alias for item in models} | {item.alias for item in routes}
        until(lambda: wanted <= {model.id for model in self.client().models.list()}, "the router knows the models", pause=0.05)

    def apply_policy(self, **wanted: Any) -> None:
        """Bring the operator's rules to a wanted state."""
        request = rules_pb2.ApplyPolicyRequest(parent="domains/platform", **wanted)
        rules_pb2_grpc.RuleServiceStub(self.channel).ApplyPolicy(request, metadata=self.admin)

    def new_key(self, project: str = PROJECT, principal: str = "domains/default/principals/application") -> identity_pb2.CreateKeyResponse:
        """A further key."""
        wanted = identity_pb2.CreateKeyRequest(parent=project, key=identity_pb2.Key(principal=principal))
        stub: Any = IdentityServiceStub(self.channel)
        made: identity_pb2.CreateKeyResponse = stub.CreateKey(wanted, metadata=self.admin)
        return made

    def revoke(self, key: identity_pb2.Key) -> None:
        """End a key."""
        IdentityServiceStub(self.channel).RevokeKey(identity_pb2.RevokeKeyRequest(name=key.name), metadata=self.admin)

    def client(self) -> OpenAI:
        """OpenAI's own SDK; it does not repeat requests."""
        if not self._clients:
            self._clients.append(OpenAI(base_url=self.mesh.base_url, api_key=self.mesh.project_key, max_retries=0, timeout=PATIENCE))
        return self._clients[0]

    def close(self) -> None:
        """Close what was opened."""
        self.channel.close()
        for client in self._clients:
            client.close()


@contextmanager
def stand(folder: Path, given: Provider, env: Mapping[str, str] | None = None) -> Iterator[Stand]:
    """Start a mesh that reaches the given provider, and one endpoint that refuses every connection, and end it."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and never listening: nobody else can take the port, and all are refused
        refusing = json.dumps({"base_url": f"http://127.0.0.1:{nobody.getsockname()[1]}/v1", "local": True})
        endpoints = {
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR": f"http://{given.address}/v1",
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_NOBODY": refusing,
        }
        with started(folder, {**endpoints, **(env or {})}) as (mesh, channel):
            made = Stand(mesh, given, channel)
            try:
                yield made
            finally:
                made.close()


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    """Metadata with a key."""
    return (("authorization", f"Bearer {key}"),)


def model(name: str, upstream: str, *, endpoint: str = "simulator", domain: str = "domains/shared") -> registry_pb2.Model:
    """A model with a price."""
    return registry_pb2.Model(
        name=f"{domain}/models/{name}",
        alias=name,
        adapter="openai",
        endpoint=endpoint,
        upstream_model=upstream,
        capabilities=["generate", "streaming", "tools", "json_schema", "logprobs", "multiple_candidates", "seed"],
        context_window=128_000,
        max_output_tokens=4_096,
        shared_with=["*"] if domain == "domains/shared" else [],
        price=registry_pb2.Price(
            currency="USD", input_nanos_per_million=INPUT_PRICE, output_nanos_per_million=OUTPUT_PRICE, source="a proof's own"
        ),
    )


def route(alias: str, *targets: str, first_token: float = 10, idle: float = 10, total: float = 30) -> router_pb2.Route:
    """An alias that goes to models in their order."""
    made = router_pb2.Route(name=f"domains/shared/routes/{alias}", alias=alias, max_attempts=len(targets), shared_with=["*"])
    for priority, target in enumerate(targets):
        made.targets.add(model=f"domains/shared/models/{target}", priority=priority)
    made.limits.first_token.FromMilliseconds(int(first_token * 1000))
    made.limits.idle.FromMilliseconds(int(idle * 1000))
    made.limits.total.FromMilliseconds(int(total * 1000))
    return made


def charge(prompt: int, completion: int) -> int:
    """What tokens cost, computed apart from the mesh: rounded half to even, once."""
    millionths = prompt * INPUT_PRICE + completion * OUTPUT_PRICE
    whole, rest = divmod(millionths, 1_000_000)
    return whole + (rest > 500_000 or (rest == 500_000 and whole % 2 == 1))
