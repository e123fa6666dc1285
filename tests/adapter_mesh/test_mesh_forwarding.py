"""What reaches the other mesh of a request, field by field of the contracts, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.policy.v1 import admission_pb2, usage_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_mesh.provider.receipts import charge_in
from tests.adapter_mesh.other_mesh import CHARGED, KEY, METHODS, MODEL, OWN, RESERVATION, OtherMesh, linked

ALL: Final = ("Generate", "GenerateStream", "EmbedStream", *METHODS)
STAYS: Final[Mapping[str, str]] = {
    "options.prompt": "it is rendered here, and its messages travel",
    "options.tags": "they name what this mesh accounts under; a limit there must not bind by them",
}
"""Options that do not travel, and why."""
CONTEXT: Final = adapter_pb2.RequestContext(idempotency_key="one", session="s", hops=["first", "second"])
BOUNDS: Final = admission_pb2.RequestBounds(data_classes=["confidential"], regions=["eu"])


async def call(made: Any, rpc: str, request: Any) -> Any:
    """The last message of the answer."""
    if rpc in {"GenerateStream", "EmbedStream"}:
        return [message async for message in getattr(made.stub, rpc)(request, timeout=20)][-1]
    return await getattr(made.stub, rpc)(request, timeout=20)


def filled(descriptor: Descriptor | None, depth: int = 3) -> dict[str, Any]:
    """A value for each field of a message, as its constructor takes it."""
    fields = descriptor.fields if descriptor is not None and depth else []
    return {field.name: _value(field, depth) for field in fields if _first_of_its_group(field)}


def _first_of_its_group(field: FieldDescriptor) -> bool:
    return field.containing_oneof is None or field.containing_oneof.fields[0] is field


def _value(field: FieldDescriptor, depth: int) -> Any:
    one: Any = {
        field.TYPE_MESSAGE: lambda: filled(field.message_type, depth - 1),
        field.TYPE_ENUM: lambda: field.enum_type.values[-1].number if field.enum_type is not None else 0,
        field.TYPE_BYTES: lambda: b"1",
        field.TYPE_STRING: lambda: "1",
        field.TYPE_BOOL: lambda: True,
        field.TYPE_DOUBLE: lambda: 1.0,
        field.TYPE_FLOAT: lambda: 1.0,
    }.get(field.type, lambda: 1)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        return {"1": _value(value, depth)}
    return [one()] if field.is_repeated else one()


@pytest.mark.parametrize("rpc", ALL)
async def test_every_field_of_an_input_travels(rpc: str) -> None:
    input_type = adapter_pb2.DESCRIPTOR.message_types_by_name[f"{rpc}Request"].fields_by_name["input"].message_type
    values = filled(input_type)
    if "candidate_count" in values:
        values["candidate_count"] = 1
    if rpc == "EmbedStream":
        values["items"] = [{"text": "a"}, {"text": "b"}]
    async with linked() as made:
        await call(made, rpc, made.granted(rpc, input=values))
        sent = made.other.asked[-1].input
        expected = type(sent)(**values)
        expected.model = MODEL
        assert sent == expected
        assert {field.name for field, _ in sent.ListFields()} | {"model"} >= set(values)


@pytest.mark.parametrize("rpc", ALL)
async def test_every_option_travels_or_is_named_with_its_reason(rpc: str) -> None:
    exact: dict[str, Any] = {"exact": True} if rpc != "EmbedStream" else {}
    source = {"items": [embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")]} if rpc == "EmbedStream" else {}
    async with linked() as made:
        request = made.granted(rpc, bounds=BOUNDS, zero_retention=True, context=CONTEXT, **exact)
        if source:
            request.input.items.extend(source["items"])
        await call(made, rpc, request)
        options = made.other.asked[-1].options
    travels = {field.name for field, _ in options.ListFields()}
    missing = {field.name for field in gateway_pb2.RequestOptions.DESCRIPTOR.fields} - travels
    named = {name.removeprefix("options.") for name in STAYS} | ({"fidelity"} if not exact else set())
    assert missing == named
    assert list(options.hops) == ["first", "second", OWN]
    assert options.bounds == admission_pb2.RequestBounds(data_classes=["confidential"], regions=["eu"], zero_retention=True)
    assert options.fidelity == (gateway_pb2.FIDELITY_EXACT if exact else 0)


async def test_a_key_is_a_digest_and_the_same_again() -> None:
    async with linked() as made:
        for _ in range(2):
            await made.stub.Generate(made.granted("Generate", context=CONTEXT), timeout=20)
        first, again = (asked.options.idempotency_key for asked in made.other.asked)
        assert first == again
        assert "one" not in first
        assert len(first) == 64
        other = adapter_pb2.RequestContext(idempotency_key="two")
        await made.stub.Generate(made.granted("Generate", context=other), timeout=20)
        await made.stub.Generate(made.granted("Generate"), timeout=20)
        assert made.other.asked[2].options.idempotency_key not in {"", first}
        assert made.other.asked[3].options.idempotency_key == ""


async def test_the_same_key_and_session_of_two_tenants_never_meet_there() -> None:
    """The other mesh has one project for all of ours, and answers a key that it knows with the first answer."""
    projects = ("domains/claims/projects/triage", "domains/claims/projects/other", "domains/sales/projects/triage")
    async with linked() as made:
        for project in projects:
            await made.stub.Generate(made.granted("Generate", context=CONTEXT, project=project), timeout=20)
        keys, sessions = ({getattr(asked.options, name) for asked in made.other.asked} for name in ("idempotency_key", "session"))
        assert len(keys) == len(sessions) == len(projects)
        await made.stub.Generate(made.granted("Generate", context=CONTEXT, model="hq/other"), timeout=20)
        assert made.other.asked[-1].options.idempotency_key not in keys


async def test_key_deadline_and_request_id_travel_and_no_more_tokens_than_granted() -> None:
    async with linked(project="claims") as made:
        metadata = (("x-request-id", "our-request"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        await made.stub.Generate(made.granted("Generate", input={"max_output_tokens": 10_000}), timeout=7, metadata=metadata)
        received, remaining = made.other.metadata[-1], made.other.remaining[-1]
    assert received["authorization"] == f"Bearer {KEY}"
    assert received["x-request-id"] == "our-request"
    assert received["x-llm-mesh-project"] == "claims"
    assert received["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert 0 < remaining <= 7
    assert made.other.asked[-1].input.max_output_tokens == 256


@pytest.mark.parametrize("rpc", ALL)
async def test_what_the_other_mesh_charged_stands_in_the_report(rpc: str) -> None:
    async with linked() as made:
        request = made.granted(rpc)
        if rpc == "EmbedStream":
            request.input.items.extend([embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")])
        last = await call(made, rpc, request)
    report = last.final if rpc == "GenerateStream" else last.report
    assert report.upstream.charge == CHARGED
    assert report.upstream.reservation == RESERVATION
    assert report.upstream.model == "domains/hq/models/summariser"
    assert report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert report.usage.input_tokens == 5
    assert report.provider_request_id == "r1"


async def test_what_the_other_mesh_counted_is_not_its_providers_word() -> None:
    async with linked(OtherMesh(source=usage_pb2.USAGE_SOURCE_COUNTED)) as made:
        answer = await made.stub.Generate(made.granted("Generate"), timeout=20)
    assert answer.report.source == usage_pb2.USAGE_SOURCE_COUNTED
    assert answer.output.usage.output_tokens == 7


async def test_a_count_carries_hops_and_bounds() -> None:
    async with linked() as made:
        attempt = made.granted("Generate").attempt
        request = adapter_pb2.CountTokensRequest(attempt=attempt, context=CONTEXT, bounds=BOUNDS)
        answer = await made.stub.CountTokens(request, timeout=20)
        asked = made.other.asked[-1]
    assert answer.count.input_tokens == 42
    assert list(asked.options.hops) == ["first", "second", OWN]
    assert asked.options.bounds == BOUNDS
    assert asked.input.model == MODEL


async def test_counts_are_made_for_the_domains_that_may_use_the_key_alone() -> None:
    async with linked(domains=["domains/others"]) as made:
        attempt = made.granted("Generate").attempt
        for domain, source in (("domains/claims", embed_pb2.COUNT_SOURCE_ESTIMATED), ("domains/others", embed_pb2.COUNT_SOURCE_PROVIDER)):
            answer = await made.stub.CountTokens(adapter_pb2.CountTokensRequest(attempt=attempt, domain=domain), timeout=20)
            assert answer.count.source == source
        assert len(made.other.asked) == 1
        checked = await made.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=attempt.endpoint), timeout=20)
        assert checked.result == adapter_pb2.CHECK_RESULT_ADMITTED


async def test_vectors_come_once_in_order_and_only_whole() -> None:
    items = [embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")]
    async with linked() as made:
        whole = await made.stub.Embed(made.granted("Embed", input={"items": items}), timeout=20)
        assert [list(each.values) for each in whole.output.embeddings] == [[1.0, 2.0], [3.0, 4.0]]
        made.other.vectors = [[1.0, 2.0], [3.0]]
        with pytest.raises(Exception, match="cannot be understood"):
            await made.stub.Embed(made.granted("Embed", input={"items": items}), timeout=20)
        made.other.vectors = [[1.0, 2.0]]
        with pytest.raises(Exception, match="1 vectors for 2 items"):
            await made.stub.Embed(made.granted("Embed", input={"items": items}), timeout=20)
        made.other.vectors = [[1.0, 2.0]] * 1_000
        with pytest.raises(Exception, match="more vectors than the 2 items"):
            await made.stub.Embed(made.granted("Embed", input={"items": items}), timeout=20)


async def test_offers_are_discovered_page_by_page_and_the_check_admits() -> None:
    async with linked() as made:
        found = await made.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint="hq"), timeout=20)
        checked = await made.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint="hq"), timeout=20)
    assert list(found.models) == ["a", "b"]
    assert list(found.descriptions) == [adapter_pb2.ModelDescription(model="a", capabilities=["tools"], context_window=1000)]
    assert checked.result == adapter_pb2.CHECK_RESULT_ADMITTED


def test_an_endpoint_names_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="https"):
        Endpoint(name="hq", provider="LLM Mesh", base_url="http://hq.example:50051")


async def test_a_kept_answer_there_is_told_apart_and_costs_nothing() -> None:
    async with linked(OtherMesh(replayed=True)) as made:
        answer = await made.stub.Generate(made.granted("Generate", context=CONTEXT), timeout=20)
    assert answer.report.upstream.replayed
    assert answer.report.upstream.charge.nanos == 0
    assert answer.report.upstream.reservation == RESERVATION


@pytest.mark.parametrize(
    ("charged", "believed"),
    [
        ({"currency": "EUR", "nanos": -1}, False),
        ({"currency": "euro", "nanos": 5}, False),
        ({"currency": "", "nanos": 0}, True),
        ({"currency": "EUR", "nanos": 5}, True),
    ],
)
def test_a_charge_that_cannot_be_is_not_believed(charged: dict[str, Any], believed: bool) -> None:  # noqa: FBT001 (a case)
    receipt = gateway_pb2.Receipt(reservation="r\n" * 300, charged=charged)
    charge = charge_in(receipt)
    assert (charge is not None) == believed
    if charge is not None:
        assert charge.reservation.isprintable()
        assert len(charge.reservation.encode()) <= 300
