"""What failures of the other mesh mean here: by each reason of each area, and what no mesh says."""

from __future__ import annotations

import importlib
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh_adapter_mesh.provider.failures import BY_CODE, MEANINGS
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_mesh.other_mesh import OtherMesh, linked

AREAS = ("gateway", "policy", "router", "adapter", "mesh")
NEVER_OF_A_REQUEST = {
    "policy": {
        "RESERVATION_RELEASED", "RESERVATION_NOT_FOUND", "RESERVATION_SETTLED", "INVALID_BOOTSTRAP_TOKEN", "ESCALATION_DENIED", "IN_USE",
    },
    "router": {"DECISION_NOT_FOUND", "ALIAS_TAKEN"},
    "mesh": {"ALREADY_EXISTS", "ETAG_MISMATCH", "SCHEMA_MISMATCH", "QUOTA_EXCEEDED"},
}  # fmt: skip
"""Reasons of administration, and between the services of one mesh: by their code, should one ever come."""


def reasons(area: str) -> list[str]:
    values = importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2").ErrorReason.DESCRIPTOR.values
    return [value.name.removeprefix("ERROR_REASON_") for value in values if value.number]


def error(area: str, name: str, **more: Any) -> MeshError:
    module = importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2")

    class Failure(MeshError):
        reasons = module.ErrorReason

    return Failure(getattr(module, f"ERROR_REASON_{name}"), "in words", **more)


async def failure_at(other: OtherMesh, rpc: str = "Generate") -> Any:
    async with linked(other) as made:
        call = getattr(made.stub, rpc)(made.granted(rpc), timeout=20)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await (call if rpc == "Generate" else read(call))
        return from_rpc_error(raised.value)


async def read(call: Any) -> None:
    async for _ in call:
        pass


@pytest.mark.parametrize("area", AREAS)
def test_every_reason_of_the_contracts_has_a_meaning(area: str) -> None:
    assert set(reasons(area)) == set(MEANINGS[area]) | NEVER_OF_A_REQUEST.get(area, set())


@pytest.mark.parametrize(("area", "name"), [(area, name) for area in AREAS for name in MEANINGS[area]])
async def test_a_failure_comes_as_its_meaning_with_the_others_own_reason(area: str, name: str) -> None:
    failure = await failure_at(OtherMesh(failure=error(area, name)))
    expected = adapter_errors.ErrorReason.Name(MEANINGS[area][name].reason).removeprefix("ERROR_REASON_")
    assert (failure.domain, failure.reason_name) == ("adapter.llm-mesh", expected)
    assert failure.metadata["upstream_reason"] == f"{area}.{name}"
    assert failure.metadata["sent"] == "true"


@pytest.mark.parametrize("code", [each for each in grpc.StatusCode if each is not grpc.StatusCode.OK])
async def test_what_says_no_reason_is_read_by_its_code(code: grpc.StatusCode) -> None:
    failure = await failure_at(OtherMesh(bare=code))
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        assert failure.reason_name == "PROVIDER_RESET"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        assert failure.reason_name == "PROVIDER_TIMEOUT"
    else:
        known = BY_CODE.get(code)
        name = adapter_errors.ErrorReason.Name(known.reason).removeprefix("ERROR_REASON_") if known else "PROVIDER_ERROR"
        assert failure.reason_name == name


async def breaker_after(other: OtherMesh, times: int) -> adapter_pb2.BreakerState:
    async with linked(other) as made:
        for _ in range(times):
            with pytest.raises(grpc.aio.AioRpcError):
                await made.stub.Generate(made.granted("Generate"), timeout=20)
        listed = await made.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(), timeout=20)
        return listed.endpoints[0].breaker


@pytest.mark.parametrize("name", ["BUDGET_EXCEEDED", "LIMIT_EXCEEDED", "BUDGET_CLOSED"])
async def test_a_budget_there_opens_no_breaker_for_everybody(name: str) -> None:
    assert await breaker_after(OtherMesh(failure=error("policy", name, retry_after=3.0)), 12) == adapter_pb2.BREAKER_STATE_CLOSED


async def test_forged_hops_open_no_breaker() -> None:
    assert await breaker_after(OtherMesh(failure=error("gateway", "REQUEST_LOOPS")), 12) == adapter_pb2.BREAKER_STATE_CLOSED


async def test_a_mesh_that_fails_opens_the_breaker() -> None:
    assert await breaker_after(OtherMesh(failure=error("mesh", "INTERNAL")), 5) == adapter_pb2.BREAKER_STATE_OPEN


async def test_a_budget_there_says_that_repeating_does_not_help() -> None:
    failure = await failure_at(OtherMesh(failure=error("policy", "BUDGET_EXCEEDED", retry_after=3.0)))
    assert failure.metadata["quota"] == "exhausted"
    assert failure.retry_after == 3.0


async def test_the_field_and_the_charge_of_a_failed_request_come_along() -> None:
    wrong = error("mesh", "INVALID_FIELD", field="input.messages[0].name")
    wrong.metadata |= {"charged_nanos": "77", "charged_currency": "EUR", "reservation": "domains/hq/projects/p/reservations/1"}
    failure = await failure_at(OtherMesh(failure=wrong))
    assert failure.metadata["field"] == "input.messages[0].name"
    assert failure.metadata["upstream_charged_nanos"] == "77"
    assert failure.metadata["upstream_charged_currency"] == "EUR"
    assert "charged_nanos" not in failure.metadata


async def test_a_refused_key_tells_the_caller_nothing_about_the_account() -> None:
    secret = error("policy", "INVALID_CREDENTIAL")
    secret.message = "the key 5f0c of hq is revoked"
    async with linked(OtherMesh(failure=secret)) as made:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await made.stub.Generate(made.granted("Generate"), timeout=20)
        listed = await made.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(), timeout=20)
    failure = from_rpc_error(raised.value)
    assert failure.reason_name == "PROVIDER_UNAUTHENTICATED"
    assert "5f0c" not in str(failure) + str(failure.metadata)
    assert listed.endpoints[0].refusal == "the key 5f0c of hq is revoked"


async def test_content_that_was_blocked_there_is_not_shopped_around() -> None:
    blocked = error("gateway", "SCREENING_FAILED")
    blocked.metadata["screened"] = "answer.email.blocked=1"
    assert (await failure_at(OtherMesh(failure=blocked))).reason_name == "PROVIDER_FILTERED"
    assert (await failure_at(OtherMesh(failure=error("gateway", "SCREENING_FAILED")))).reason_name == "PROVIDER_ERROR"


async def test_a_stream_that_breaks_off_tells_what_was_spent() -> None:
    broken = await failure_at(OtherMesh(failure=error("gateway", "ANSWER_INTERRUPTED")), "GenerateStream")
    assert broken.reason_name == "PROVIDER_RESET"
    assert int(broken.metadata["output_tokens"]) > 0
    cut = await failure_at(OtherMesh(cut=True), "GenerateStream")
    assert cut.reason_name == "PROVIDER_RESET"
    assert cut.metadata["output_tokens"] == "7"
