"""A request's whole way through policy, over every link: authorise, admit, reserve, screen, settle, and what people then see."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import (
    admission_pb2,
    identity_pb2,
    identity_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    policy_pb2,
    policy_pb2_grpc,
    rules_pb2,
    rules_pb2_grpc,
    usage_pb2,
)
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_policy.settings import Settings
from llm_mesh_policy.wiring import MIGRATIONS, service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import HostedMesh, NoSettings, host
from tests.databases import migrated
from tests.policy.conftest import TOKEN
from tests.policy.ledger_world import MODEL, PRICE, FakeRegistry, attempt, line, plan, ulid, worst

PEM = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----"


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """Tells of the models, but of their prices only when asked."""

    def __init__(self) -> None:
        self.known = FakeRegistry()

    async def WatchModels(self, request: Any, context: Any) -> AsyncIterator[registry_pb2.WatchModelsResponse]:
        models = self.known.models.values()
        yield registry_pb2.WatchModelsResponse(models=models, snapshot_complete=True, reset=True, resume_token="1")
        await asyncio.Event().wait()

    async def GetModel(self, request: registry_pb2.GetModelRequest, context: Any) -> registry_pb2.GetModelResponse:
        if request.name not in self.known.models:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        return registry_pb2.GetModelResponse(model=self.known.models[request.name])

    async def GetPrice(self, request: registry_pb2.GetPriceRequest, context: Any) -> registry_pb2.GetPriceResponse:
        if request.name not in self.known.prices:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such price")
        return registry_pb2.GetPriceResponse(price=self.known.prices[request.name])


class Observability(observability_pb2_grpc.ObservabilityServiceServicer):
    """Takes events, after it was away once."""

    def __init__(self) -> None:
        self.events: list[usage_pb2.UsageEvent] = []
        self.calls = 0
        self.settled = asyncio.Event()

    async def Ingest(self, request: observability_pb2.IngestRequest, context: Any) -> observability_pb2.IngestResponse:
        self.calls += 1
        if self.calls == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        self.events += request.events
        if any(event.entry.state == usage_pb2.RESERVATION_STATE_SETTLED for event in request.events):
            self.settled.set()
        return observability_pb2.IngestResponse(through_sequence=request.events[-1].sequence)


class Mesh:
    """Policy between a registry and observability, with an application and its project's owner."""

    def __init__(self, hosted: HostedMesh, observability: Observability, app: str, owner: str) -> None:
        self.policy = policy_pb2_grpc.PolicyServiceStub(hosted.channel("policy", caller="gateway"))
        self.observing = policy_pb2_grpc.PolicyServiceStub(hosted.channel("policy", caller="console"))
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(hosted.application("policy", key=owner))
        self.observability = observability
        self.app = app

    async def admitted(self, text: str = "hello") -> policy_pb2.AdmitResponse:
        asked = policy_pb2.AuthorizeRequest(
            credential=self.app, method="/llm_mesh.gateway.v1.GatewayService/Generate", resource="models/big", action="models.generate"
        )
        authorized = await self.policy.Authorize(asked)
        part = content_pb2.Part(text=content_pb2.Text(text=text))
        message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])
        generate = generate_pb2.GenerateInput(model="big", messages=[message], max_output_tokens=100)
        return await self.policy.Admit(policy_pb2.AdmitRequest(caller=authorized.sealed_caller, generate=generate, tags={"team": "a"}))

    async def reserve(self, **fields: Any) -> tuple[str, policy_pb2.ReserveResponse]:
        admission = (await self.admitted()).admission
        request = policy_pb2.ReserveRequest(reservation_id=ulid(), admission=admission, plan=plan(attempt()), epoch="e1", **fields)
        return request.reservation_id, await self.policy.Reserve(request)


async def _keys(hosted: HostedMesh) -> tuple[str, str]:
    bootstrap = identity_pb2_grpc.IdentityServiceStub(hosted.application("policy", key=TOKEN))
    admin = (await bootstrap.Bootstrap(identity_pb2.BootstrapRequest())).secret
    wanted = rules_pb2.ApplyPolicyRequest(
        parent="domains/platform",
        domains=[identity_pb2.Domain(name="domains/claims")],
        projects=[identity_pb2.Project(name="domains/claims/projects/triage")],
        budgets=[ledger_pb2.Budget(name="domains/claims/projects/triage/budget", amount=usd(10 * worst()))],
    )
    for person, role in (("owner", "roles/domain-admin"), ("app", "roles/application")):
        principal = f"domains/claims/principals/{person}"
        wanted.principals.add(name=principal)
        wanted.bindings.add(name=f"domains/claims/bindings/{person}", principal=principal, role=role)
    rules = rules_pb2_grpc.RuleServiceStub(hosted.application("policy", key=admin))
    await rules.ApplyPolicy(wanted)
    identity = identity_pb2_grpc.IdentityServiceStub(hosted.application("policy", key=admin))
    made = []
    for person in ("app", "owner"):
        key = identity_pb2.Key(principal=f"domains/claims/principals/{person}")
        request = identity_pb2.CreateKeyRequest(parent="domains/claims/projects/triage", key=key)
        made.append((await identity.CreateKey(request)).secret)
    return made[0], made[1]


def usd(nanos: int) -> resources_pb2.Money:
    return resources_pb2.Money(currency="USD", nanos=nanos)


def peer(name: str, add: Any, servicer: Any) -> Service:
    contract = f"llm_mesh.{name}.v1.{name.title()}Service"
    return Service(name, (contract,), NoSettings, lambda _settings, _links: Servicers((add, servicer)))


@pytest.fixture(params=["local", "grpc"])
async def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Mesh]:
    url = f"sqlite:///{tmp_path / 'policy.db'}"
    database = Database(url, name="policy")
    await migrated(database, MIGRATIONS)
    await database.close()
    settings = Settings(database_url=Secret(url), key_pepper=Secret("p" * 32), bootstrap_token=Secret(TOKEN), screen_output=True)
    observability = Observability()
    others = (
        peer("registry", registry_pb2_grpc.add_RegistryServiceServicer_to_server, Registry()),
        peer("observability", observability_pb2_grpc.add_ObservabilityServiceServicer_to_server, observability),
    )
    async with host(*others, service, link=request.param, settings={"policy": settings}) as hosted:
        yield Mesh(hosted, observability, *await _keys(hosted))


async def refused(call: Any) -> MeshError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return from_rpc_error(error.value)


async def test_a_request_is_held_charged_listed_and_delivered(mesh: Mesh) -> None:
    reservation_id, reserved = await mesh.reserve(request_id="r-1")
    assert reserved.reserved == usd(worst())
    assert [(status.metric, status.limit, status.remaining) for status in reserved.limits] == [("money", 10 * worst(), 9 * worst())]
    settled = await mesh.policy.Settle(policy_pb2.SettleRequest(reservation_id=reservation_id, lines=[line()]))
    assert (settled.charged, settled.state) == (usd(worst(500, 50)), usage_pb2.RESERVATION_STATE_SETTLED)
    assert (await mesh.policy.Settle(policy_pb2.SettleRequest(reservation_id=reservation_id))).repeated_call

    budget = (await mesh.ledger.GetBudget(ledger_pb2.GetBudgetRequest(name="domains/claims/projects/triage/budget"))).budget
    assert (budget.spent, budget.held) == (usd(worst(500, 50)), usd(0))
    name = f"domains/claims/projects/triage/reservations/{reservation_id.lower()}"
    entry = (await mesh.ledger.GetLedgerEntry(ledger_pb2.GetLedgerEntryRequest(name=name))).entry
    assert (entry.alias, entry.request_id, dict(entry.tags), entry.lines[0].price) == ("big", "r-1", {"team": "a"}, PRICE)

    async with asyncio.timeout(10):
        await mesh.observability.settled.wait()
    event = mesh.observability.events[-1]
    assert (event.entry, event.project) == (entry, "domains/claims/projects/triage")
    replayed = [each async for answer in mesh.observing.ReplayUsage(policy_pb2.ReplayUsageRequest()) for each in answer.events]
    assert replayed == [event]


async def test_entries_are_listed_newest_first_by_pages_and_filters(mesh: Mesh) -> None:
    made = [(await mesh.reserve(request_id=f"r-{number}"))[0].lower() for number in range(3)]
    await mesh.policy.Release(policy_pb2.ReleaseRequest(reservation_id=made[1]))
    for parent in ("domains/claims/projects/triage", "domains/claims/projects/-"):
        request = ledger_pb2.ListLedgerEntriesRequest(parent=parent, page_size=2)
        first = await mesh.ledger.ListLedgerEntries(request)
        request.page_token = first.next_page_token
        second = await mesh.ledger.ListLedgerEntries(request)
        found = [entry.name.rpartition("/")[2] for entry in (*first.entries, *second.entries)]
        assert (found, second.next_page_token) == (made[::-1], "")
    held = ledger_pb2.ListLedgerEntriesRequest(parent="domains/claims/projects/-", state=usage_pb2.RESERVATION_STATE_HELD, request_id="r-2")
    assert [entry.request_id for entry in (await mesh.ledger.ListLedgerEntries(held)).entries] == ["r-2"]
    foreign = ledger_pb2.ListLedgerEntriesRequest(parent="domains/sales/projects/-")
    assert (await refused(mesh.ledger.ListLedgerEntries(foreign))).reason_name == "ACTION_DENIED"


async def test_a_limit_refuses_with_subject_and_delay_and_ends_when_it_is_deleted(mesh: Mesh) -> None:
    limit = ledger_pb2.Limit(
        name="domains/claims/limits/calls", subject=f"model:{MODEL}", metric=ledger_pb2.LIMIT_METRIC_REQUESTS, amount=1
    )
    limit.window.FromSeconds(3600)
    put = await mesh.ledger.PutLimit(ledger_pb2.PutLimitRequest(limit=limit))
    listed = await mesh.ledger.ListLimits(ledger_pb2.ListLimitsRequest(parent="domains/claims"))
    assert list(listed.limits) == [put.limit] == [limit]
    await mesh.reserve()
    error = await refused(mesh.reserve())
    assert (error.reason_name, error.quota[0][0]) == ("LIMIT_EXCEEDED", f"model:{MODEL}")
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 3600
    await mesh.ledger.DeleteLimit(ledger_pb2.DeleteLimitRequest(name=limit.name))
    await mesh.reserve()


async def test_a_masked_input_comes_back_and_the_answer_is_screened_by_the_same_rules(mesh: Mesh) -> None:
    admitted = await mesh.admitted(f"see {PEM}")
    assert admitted.generate.messages[0].parts[0].text.text == "see [private_key]"
    call = mesh.policy.ScreenStream()
    start = policy_pb2.ScreenStart(admission=admitted.admission, screen_state=admitted.obligations.items[0].screen_output.state)
    await call.write(policy_pb2.ScreenStreamRequest(start=start))
    for seq, (text, final) in enumerate(((PEM[:20], False), (PEM[20:] + " ok", True))):
        await call.write(policy_pb2.ScreenStreamRequest(text=policy_pb2.ScreenText(channel="text", seq=seq, text=text, final=final)))
    await call.done_writing()
    answers = [answer async for answer in call]
    assert "".join(answer.released_text for answer in answers) == "[private_key] ok"


async def test_a_plan_beyond_the_admission_or_without_a_price_is_refused(mesh: Mesh) -> None:
    admission = (await mesh.admitted()).admission

    def reserve(**changes: Any) -> Any:
        wanted = plan(attempt(**changes))
        return mesh.policy.Reserve(policy_pb2.ReserveRequest(reservation_id=ulid(), admission=admission, plan=wanted, epoch="e1"))

    assert (await refused(reserve(outputs=101))).reason_name == "PLAN_NOT_ADMITTED"
    assert (await refused(reserve(upstream_model="another"))).reason_name == "PLAN_NOT_ADMITTED"
    assert (await refused(reserve(charge_to="domains/sales/projects/x"))).reason_name == "PLAN_NOT_ADMITTED"
    assert (await refused(reserve(price=""))).reason_name == "PRICE_UNKNOWN"
    assert (await refused(reserve(price=f"{MODEL}/prices/9"))).reason_name == "PRICE_UNKNOWN"
    assert (await refused(reserve(price="domains/x/models/y/prices/1"))).reason_name == "PRICE_UNKNOWN"


async def test_a_forged_admission_holds_nothing(mesh: Mesh) -> None:
    admission = (await mesh.admitted()).admission
    forged = admission_pb2.Admission.FromString(admission.payload)
    forged.caller.project = "domains/sales/projects/x"
    admission.payload = forged.SerializeToString()
    request = policy_pb2.ReserveRequest(reservation_id=ulid(), admission=admission, plan=plan(attempt()), epoch="e1")
    assert (await refused(mesh.policy.Reserve(request))).reason_name == "INVALID_SEAL"


async def test_a_heartbeat_answers_with_the_stores_time_and_the_patience(mesh: Mesh) -> None:
    answer = await mesh.policy.Heartbeat(policy_pb2.HeartbeatRequest(epoch="e1", instance="host"))
    assert 5 < answer.lost_after.seconds < 30
    assert answer.now.seconds > 1_700_000_000
