"""Nobody gets tokens for less than they cost: not by cancelling, nor by references, odd usage or figures out of bounds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.proofs.gone import chat
from tests.proofs.load import chat_body
from tests.proofs.refusals import Refusal, refused
from tests.proofs.stand import INPUT_PRICE, OUTPUT_PRICE, PROJECT, Stand, bearer, charge, model, provider, stand, until

DOMAIN = "domains/default"
PRINCIPAL = f"{DOMAIN}/principals/application"
WINDOW = 128_000
TOKENS, RATE = 100, 100
MOST = 4 * 10**18
DEAREST = 10**18
CODES = grpc.StatusCode
ESTIMATED, PROVIDER = usage_pb2.USAGE_SOURCE_ESTIMATED, usage_pb2.USAGE_SOURCE_PROVIDER


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with models that take their time, that bill oddly, and that read what a request refers to."""
    folder: Path = tmp_path_factory.mktemp("money")
    with provider(folder) as simulator, stand(folder, simulator, {"LLM_MESH_POLICY_METER_CHECK_EVERY": "1"}) as made:
        reading = ("image_input", "audio_input", "file_input")
        models = [
            model("paced", f"sim-words/tokens:{TOKENS}/rate:{RATE}"),
            model("thinking", f"sim-words/tokens:{TOKENS}/rate:{RATE}/reasoning:50"),
            model("absurd", f"sim-words/tokens:20/completion_tokens:{10**12}"),
            model("absurd-input", f"sim-words/tokens:20/prompt_tokens:{10**12}"),
            model("greedy", "sim-words/tokens:20/completion_tokens:30"),
            model("reader", "sim-echo"),
            model("bounded-reader", "sim-echo"),
            model("gold", "sim-words/tokens:5"),
        ]
        models[1].capabilities.append("reasoning")
        for each in models[5:7]:
            each.capabilities.extend(reading)
            each.image_tokens = 700
        models[6].file_tokens, models[6].audio_tokens = 900, 800
        models[7].price.input_nanos_per_million = models[7].price.output_nanos_per_million = DEAREST
        models[7].max_output_tokens = models[7].context_window = 10**9
        made.put_models(models)
        yield made


@pytest.fixture
def project(mesh: Stand, request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    name = f"{DOMAIN}/projects/{request.node.name.split('[')[0].replace('_', '-').removeprefix('test-')[:50].strip('-')}"
    mesh.apply_policy(projects=[identity_pb2.Project(name=name)])
    return name


def key_of(mesh: Stand, project: str) -> str:
    return mesh.new_key(project, PRINCIPAL).secret


def strictly(mesh: Stand, project: str) -> None:
    """Have the project charged strictly, through the update mask that people use."""
    stub: Any = identity_pb2_grpc.IdentityServiceStub(mesh.channel)
    changed = identity_pb2.UpdateProjectRequest(project=identity_pb2.Project(name=project, strict_charging=True))
    changed.update_mask.paths.append("strict_charging")
    assert stub.UpdateProject(changed, metadata=mesh.admin).project.strict_charging


def asking(alias: str, *parts: content_pb2.Part, tags: dict[str, str] | None = None, **fields: Any) -> gateway_pb2.GenerateRequest:
    said = chat(alias, "go on")
    said.messages[0].parts.extend(parts)
    for name, value in fields.items():
        setattr(said, name, value)
    return gateway_pb2.GenerateRequest(input=said, options=gateway_pb2.RequestOptions(tags=tags or {}))


def asked(mesh: Stand, key: str, request: gateway_pb2.GenerateRequest, request_id: str = "") -> gateway_pb2.GenerateResponse:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    answer: gateway_pb2.GenerateResponse = stub.Generate(request, metadata=(*bearer(key), ("x-request-id", request_id)), timeout=30)
    return answer


def refusal(mesh: Stand, key: str, request: gateway_pb2.GenerateRequest) -> Refusal:
    return refused(lambda: asked(mesh, key, request))


def cancelled(mesh: Stand, key: str, request: gateway_pb2.GenerateRequest, request_id: str, after: float) -> usage_pb2.LedgerEntry:
    """An unstreamed request whose caller leaves so long after the provider was asked."""
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    call = stub.Generate.future(request, metadata=(*bearer(key), ("x-request-id", request_id)), timeout=30)
    until(lambda: mesh.provider.received(request_id), "the provider is asked")
    time.sleep(after)
    call.cancel()
    return mesh.entry(request_id)


def test_cancelling_an_unstreamed_request_at_85_percent_again_and_again_is_never_cheaper(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    whole = asked(mesh, key, asking("paced")).receipt.charged.nanos
    paid = []
    for number in range(3):
        entry = cancelled(mesh, key, asking("paced"), f"late-cancel-{number}", 0.85 * TOKENS / RATE)
        (line,) = entry.lines
        assert (line.usage.outcome, line.usage.source) == (usage_pb2.ATTEMPT_OUTCOME_CANCELLED, ESTIMATED)
        assert line.reported_usage.output_tokens == 0, "an answer that comes whole shows nothing before"
        assert 0.7 * whole <= entry.charged.nanos <= entry.reserved.nanos, "it was 1/640 of the whole"
        paid.append(entry.charged.nanos)
    assert sum(paid) > 2 * whole


@pytest.mark.parametrize("seen", [1, 30, 80])
def test_a_cancelled_stream_costs_what_it_showed(mesh: Stand, seen: int) -> None:
    request_id = f"stream-cancel-{seen}"
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    request = gateway_pb2.GenerateStreamRequest(input=chat("paced", "go on"))
    call = stub.GenerateStream(request, metadata=(*mesh.user, ("x-request-id", request_id)), timeout=30)
    count = 0
    for message in call:
        count += sum(event.WhichOneof("kind") == "text" for event in message.events)
        if count >= seen:
            break
    call.cancel()
    entry = mesh.entry(request_id)
    (line,) = entry.lines
    assert (line.usage.source, line.usage.streamed) == (ESTIMATED, True)
    assert entry.charged.nanos >= charge(line.usage.usage.input_tokens, count)
    assert line.usage.usage.output_tokens <= 2 * count + 40, "time alone says nothing about a stream that shows all"


def test_reasoning_that_a_stream_hides_is_charged_by_its_time(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    asked(mesh, key, asking("thinking"))
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    request = gateway_pb2.GenerateStreamRequest(input=chat("thinking", "go on"))
    call = stub.GenerateStream(request, metadata=(*bearer(key), ("x-request-id", "hidden-reasoning")), timeout=30)
    until(lambda: mesh.provider.received("hidden-reasoning"), "the provider is asked")
    time.sleep(0.4)
    call.cancel()
    entry = mesh.entry("hidden-reasoning")
    (line,) = entry.lines
    assert line.usage.usage.output_tokens >= 30, line
    assert entry.charged.nanos <= entry.reserved.nanos


def test_a_strict_project_pays_the_reservation_for_an_unfinished_call(mesh: Stand, project: str) -> None:
    strictly(mesh, project)
    entry = until(lambda: cancelled(mesh, key_of(mesh, project), asking("paced"), "strict-cancel", 0.1), "it is cancelled")
    assert entry.charged.nanos == entry.reserved.nanos
    assert entry.lines[0].usage.source == ESTIMATED


def test_the_truth_replaces_an_estimate(mesh: Stand, project: str) -> None:
    entry = cancelled(mesh, key_of(mesh, project), asking("paced"), "to-reconcile", 0.2)
    truth = usage_pb2.UsageLine(attempt_id=entry.lines[0].usage.attempt_id, outcome=usage_pb2.ATTEMPT_OUTCOME_CANCELLED, source=PROVIDER)
    truth.usage.input_tokens, truth.usage.output_tokens = 10, 90
    stub: Any = ledger_pb2_grpc.LedgerServiceStub(mesh.channel)
    request = ledger_pb2.ReconcileLedgerEntryRequest(name=entry.name, lines=[truth], note="the provider's invoice")
    corrected = stub.ReconcileLedgerEntry(request, metadata=mesh.admin).entry
    assert corrected.charged.nanos == charge(10, 90)
    assert corrected.adjustments[-1].amount.nanos == charge(10, 90) - entry.charged.nanos
    truth.usage.output_tokens = 10**12
    told = refused(lambda: stub.ReconcileLedgerEntry(request, metadata=mesh.admin))
    assert told.code is CODES.INVALID_ARGUMENT, told


REFERENCES: dict[str, Callable[[], tuple[list[content_pb2.Part], int]]] = {
    "file_id": lambda: ([content_pb2.Part(file=content_pb2.Media(file_id="file-abc"))], 900),
    "file_uri": lambda: ([content_pb2.Part(file=content_pb2.Media(uri="https://example.com/a.pdf"))], 900),
    "audio_uri": lambda: ([content_pb2.Part(audio=content_pb2.Media(uri="https://example.com/a.wav"))], 800),
    "nested": lambda: (
        [
            content_pb2.Part(
                tool_result=content_pb2.ToolResult(tool_call_id="t", parts=[content_pb2.Part(file=content_pb2.Media(file_id="file-abc"))])
            )
        ],
        900,
    ),
}


def profiled(mesh: Stand, key: str, request: gateway_pb2.GenerateRequest, request_id: str) -> int | Refusal:
    """What was reserved in input tokens, whatever the provider or its adapter then says of the reference; or the refusal."""
    told: Refusal | None = None
    try:
        asked(mesh, key, request, request_id)
    except grpc.RpcError:
        told = refusal(mesh, key, request)
        if told.reason == "NO_ELIGIBLE_TARGET":
            return told
    reserved = mesh.entry(request_id).reserved.nanos
    return (reserved - 10 * OUTPUT_PRICE // 10**6) * 10**6 // INPUT_PRICE


@pytest.mark.parametrize("kind", REFERENCES)
def test_content_that_a_request_only_refers_to_reserves_its_bound_or_the_whole_window(mesh: Stand, kind: str) -> None:
    parts, bound = REFERENCES[kind]()
    unknown = profiled(mesh, mesh.mesh.project_key, asking("reader", *parts, max_output_tokens=10), f"reference-{kind}")
    assert unknown == WINDOW
    known = profiled(mesh, mesh.mesh.project_key, asking("bounded-reader", *parts, max_output_tokens=10), f"bounded-{kind}")
    assert isinstance(known, int)
    assert bound <= known < bound + 1000


@pytest.mark.parametrize("kind", REFERENCES)
def test_a_strict_project_refers_only_to_what_has_a_bound(mesh: Stand, project: str, kind: str) -> None:
    strictly(mesh, project)
    key = key_of(mesh, project)
    parts, bound = REFERENCES[kind]()
    told = until(lambda: profiled(mesh, key, asking("reader", *parts, max_output_tokens=10), f"strict-{kind}"), "it is answered")
    assert isinstance(told, Refusal), "nothing is reserved"
    assert (told.code, told.reason) == (CODES.FAILED_PRECONDITION, "NO_ELIGIBLE_TARGET")
    known = profiled(mesh, key, asking("bounded-reader", *parts, max_output_tokens=10), f"strict-bounded-{kind}")
    assert isinstance(known, int)
    assert known >= bound


def test_an_earlier_answer_is_not_read_for_nothing(mesh: Stand) -> None:
    request = asking("reader", max_output_tokens=10)
    request.input.extras.add(dialect="openai", key="previous_response_id", json=b'"resp_123"')
    answer = profiled_or_refused(mesh, request, "previous-response")
    assert answer is None or answer == WINDOW


def profiled_or_refused(mesh: Stand, request: gateway_pb2.GenerateRequest, request_id: str) -> int | None:
    """None where the mesh refuses such an extra at all."""
    try:
        asked(mesh, mesh.mesh.project_key, request, request_id)
    except grpc.RpcError:
        return None
    return (mesh.entry(request_id).reserved.nanos - 10 * OUTPUT_PRICE // 10**6) * 10**6 // INPUT_PRICE


def logged(mesh: Stand, kind: str) -> int:
    """How many alerts of a kind the services have logged."""
    files = {mesh.mesh.log, *mesh.mesh.log.parent.glob("*.log")}
    return sum(f'"{kind}"' in line for file in files if file.exists() for line in file.read_text(errors="replace").splitlines())


@pytest.mark.parametrize("alias", ["absurd", "absurd-input"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_usage_of_a_trillion_tokens_is_counted_instead(mesh: Stand, alias: str, *, streamed: bool) -> None:
    before = logged(mesh, "implausible_usage")
    request_id = f"{alias}-{streamed}"
    reply = mesh.ask(chat_body(alias, "hi", stream=streamed, max_tokens=40), headers={"x-request-id": request_id})
    assert reply.status == 200, reply.body
    entry = mesh.entry(request_id)
    (line,) = entry.lines
    assert line.implausible
    assert max(line.reported_usage.output_tokens, line.reported_usage.input_tokens) == 10**12
    assert line.usage.usage.output_tokens <= 40
    assert 0 < entry.charged.nanos <= entry.reserved.nanos
    assert not entry.overrun
    until(lambda: logged(mesh, "implausible_usage") > before, "an alert is logged")


def test_a_bill_beyond_the_reservation_closes_the_budget_until_it_is_put_again(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    mesh.put_budget(10**12, project)
    before = logged(mesh, "overrun")
    entry_id = "overrun-1"
    assert mesh.ask(chat_body("greedy", "hi", max_tokens=20), key=key, headers={"x-request-id": entry_id}).status == 200
    entry = mesh.entries(entry_id)[0]
    assert entry.overrun
    assert entry.charged.nanos > entry.reserved.nanos
    assert mesh.budget(project).HasField("close_time")
    reply = mesh.ask(chat_body("paced", "hi"), key=key)
    assert (reply.status, reply.code) == (429, "budget_closed"), reply.body
    assert f"{project}/budget" in reply.error["message"]
    assert reply.headers["x-should-retry"] == "false"
    told = refusal(mesh, key, asking("paced"))
    assert (told.code, told.reason) == (CODES.RESOURCE_EXHAUSTED, "BUDGET_CLOSED")
    until(lambda: logged(mesh, "overrun") > before, "an alert is logged")
    mesh.put_budget(10**12, project)
    assert mesh.ask(chat_body("reader", "hi"), key=key).status == 200


def test_prices_and_budgets_beyond_their_bounds_are_refused_and_at_them_work(mesh: Stand, project: str) -> None:
    registry: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    price = registry_pb2.Price(currency="USD", output_nanos_per_million=DEAREST + 1, source="an attack")
    request = registry_pb2.CreatePriceRequest(parent="domains/shared/models/gold", price=price)
    told = refused(lambda: registry.CreatePrice(request, metadata=mesh.admin))
    assert (told.code, told.reason, told.field) == (CODES.INVALID_ARGUMENT, "INVALID_FIELD", "price.output_nanos_per_million")
    ledger: Any = ledger_pb2_grpc.LedgerServiceStub(mesh.channel)
    budget = ledger_pb2.Budget(name=f"{project}/budget", amount=resources_pb2.Money(currency="USD", nanos=MOST + 1))
    told = refused(lambda: ledger.PutBudget(ledger_pb2.PutBudgetRequest(budget=budget), metadata=mesh.admin))
    assert (told.code, told.field) == (CODES.INVALID_ARGUMENT, "budget.amount.nanos")
    mesh.put_budget(MOST, project)
    key = key_of(mesh, project)
    answer = asked(mesh, key, asking("gold", max_output_tokens=10))
    assert answer.receipt.charged.nanos % (DEAREST // 10**6) == 0
    assert mesh.budget(project).spent.nanos == answer.receipt.charged.nanos


def test_a_worst_case_beyond_64_bits_is_an_invalid_argument(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    told = refusal(mesh, key, asking("gold", max_output_tokens=131_072, candidate_count=128))
    assert (told.code, told.reason, told.field) == (CODES.INVALID_ARGUMENT, "INVALID_FIELD", "input.max_output_tokens")
    reply = mesh.ask(chat_body("gold", "hi", max_completion_tokens=131_072, n=128), key=key)
    assert (reply.status, reply.code) == (400, "invalid_field"), reply.body
    assert mesh.entries(parent=project) == []


def test_reports_of_spend_survive_odd_rows(mesh: Stand) -> None:
    stub: Any = observability_pb2_grpc.ObservabilityServiceStub(mesh.channel)
    request = observability_pb2.QuerySpendRequest(parent=DOMAIN, group_by=[observability_pb2.SPEND_DIMENSION_MODEL])
    rows = stub.QuerySpend(request, metadata=mesh.admin).rows
    assert all(0 <= row.output_tokens < 10**9 for row in rows)
    assert mesh.mesh.cli("spend", "--json").returncode == 0


def put_limit(mesh: Stand, name: str, subject: str, amount: int, *, tag_required: bool = False) -> None:
    stub: Any = ledger_pb2_grpc.LedgerServiceStub(mesh.channel)
    limit = ledger_pb2.Limit(name=f"{DOMAIN}/limits/{name}", subject=subject, metric=ledger_pb2.LIMIT_METRIC_REQUESTS, amount=amount)
    limit.tag_required = tag_required
    limit.window.FromSeconds(31 * 86_400)
    stub.PutLimit(ledger_pb2.PutLimitRequest(limit=limit), metadata=mesh.admin)


def test_changing_a_limit_keeps_its_count(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    put_limit(mesh, "changing", project, 2)
    for _ in range(2):
        asked(mesh, key, asking("reader"))
    assert refusal(mesh, key, asking("reader")).reason == "LIMIT_EXCEEDED"
    for amount, passes in ((2, False), (1, False), (3, True), (3, False)):
        put_limit(mesh, "changing", project, amount)
        if passes:
            asked(mesh, key, asking("reader"))
        else:
            assert refusal(mesh, key, asking("reader")).reason == "LIMIT_EXCEEDED"


def test_leaving_a_demanded_tag_out_evades_no_limit(mesh: Stand) -> None:
    stub: Any = ledger_pb2_grpc.LedgerServiceStub(mesh.channel)
    key = mesh.mesh.project_key
    put_limit(mesh, "team", "tag:team=red", 1, tag_required=True)
    try:
        told = refusal(mesh, key, asking("reader"))
        assert (told.code, told.reason, told.field) == (CODES.INVALID_ARGUMENT, "TAG_REQUIRED", "options.tags.team")
        asked(mesh, key, asking("reader", tags={"team": "blue"}))
        asked(mesh, key, asking("reader", tags={"team": "red"}))
        assert refusal(mesh, key, asking("reader", tags={"team": "red"})).reason == "LIMIT_EXCEEDED"
    finally:
        stub.DeleteLimit(ledger_pb2.DeleteLimitRequest(name=f"{DOMAIN}/limits/team"), metadata=mesh.admin)
    asked(mesh, key, asking("reader"))


def tamper(mesh: Stand, statement: str) -> None:
    """Change the store of policy past the ledger."""
    file = mesh.mesh.data_dir / "policy.db"
    if file.exists():
        with sqlite3.connect(file, timeout=30) as connection:
            connection.execute(statement)
        connection.close()
        return
    import psycopg  # noqa: PLC0415 - where services stand alone

    with psycopg.connect(mesh.mesh.env["LLM_MESH_POLICY_DATABASE_URL"]) as remote:
        remote.execute(statement.encode())


def test_a_budget_that_was_changed_in_the_store_is_noticed_and_the_stricter_figure_holds(mesh: Stand, project: str) -> None:
    key = key_of(mesh, project)
    mesh.put_budget(10**12, project)
    spent = asked(mesh, key, asking("paced")).receipt.charged.nanos
    before = logged(mesh, "meter_difference")
    tamper(mesh, f"UPDATE ledger_meters SET spent = 0 WHERE name = '{project}/budget'")  # noqa: S608 - the attack itself
    until(lambda: mesh.budget(project).spent.nanos == spent, "the sum of the entries holds again")
    until(lambda: logged(mesh, "meter_difference") > before, "an alert is logged")


def test_what_a_project_without_a_budget_may_spend_is_a_setting(tmp_path: Path) -> None:
    with provider(tmp_path) as simulator, stand(tmp_path, simulator, {"LLM_MESH_POLICY_PROJECTS_WITHOUT_BUDGET": "refused"}) as mesh:
        mesh.put_models([model("priced", "sim-echo")])
        told = refusal(mesh, mesh.mesh.project_key, asking("priced"))
        assert (told.code, told.reason) == (CODES.RESOURCE_EXHAUSTED, "BUDGET_REQUIRED")
        assert PROJECT in told.message
        reply = mesh.ask(chat_body("priced", "hi"))
        assert (reply.status, reply.code) == (429, "budget_required")
        mesh.put_budget(10**12)
        asked(mesh, mesh.mesh.project_key, asking("priced"))
