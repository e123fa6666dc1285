"""A request of which nothing was sent: what policy is told of why, and never less than the caller was told."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import errors_pb2 as mesh_errors
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_gateway.domain import failures
from llm_mesh_runtime.errors import MeshError, RuntimeFault, invalid
from tests.gateway.conftest import KEY, Mesh, request
from tests.gateway.fakes import PolicyError, failing, failure

UNSENT = sorted(key for key, meaning in failures._MEANINGS.items() if not meaning.sent)
MASKED = [usage_pb2.ScreeningCount(detector="credit_card", masked=1, direction=usage_pb2.SCREENING_DIRECTION_REQUEST)]


def of_adapter(domain: str, reason: str) -> MeshError:
    """A failure of an adapter about a field, by the names of its reason."""
    if domain == "adapter.llm-mesh":
        return failure(reason, sent="false", field="sampling.top_k")
    made = RuntimeFault(mesh_errors.ErrorReason.Value(f"ERROR_REASON_{reason}"), "it was so", field="sampling.top_k")
    made.metadata["sent"] = "false"
    return made


@pytest.mark.parametrize(("domain", "reason"), UNSENT, ids=lambda word: word.lower())
async def test_each_way_not_to_send_is_told_with_reason_field_and_attempt(mesh: Mesh, domain: str, reason: str) -> None:
    mesh.adapter.scripts = {f"model-{number}": failing(of_adapter(domain, reason)) for number in (1, 2)}
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.generate()
    await asyncio.wait_for(mesh.policy.ended.wait(), 10)
    (release,) = mesh.policy.released
    tried = [each.attempt.id for each in mesh.adapter.asked]
    assert not mesh.policy.settled
    assert [line.attempt_id for line in release.lines] == tried
    assert {(line.outcome, line.error_reason, line.error_field) for line in release.lines} == {
        (usage_pb2.ATTEMPT_OUTCOME_NOT_SENT, reason, "sampling.top_k")
    }


@pytest.mark.parametrize("field", ["x" * 300, "a\x1bb"], ids=["long", "control"])
async def test_no_field_is_told_that_policy_would_refuse(mesh: Mesh, field: str) -> None:
    mesh.adapter.scripts = {f"model-{number}": failing(invalid(field, "shorter")) for number in (1, 2)}
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.generate()
    await asyncio.wait_for(mesh.policy.ended.wait(), 10)
    told = [line.error_field for line in mesh.policy.released[0].lines]
    assert told
    assert all(len(each) <= 255 and each.isprintable() for each in told)


def masked(mesh: Mesh) -> None:
    mesh.policy.admission = policy_pb2.AdmitResponse(screened=MASKED)
    mesh.policy.admission.admission.payload = b"admission"


async def test_a_masked_request_that_the_router_refuses_is_told_to_policy(mesh: Mesh) -> None:
    masked(mesh)
    mesh.router.refuses = invalid("input.tools", "fewer")
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.generate()
    await asyncio.wait_for(mesh.policy.ended.wait(), 10)
    (release,) = mesh.policy.released
    refusal = release.refusal
    assert (refusal.reason, refusal.field, refusal.admission.payload) == ("INVALID_FIELD", "input.tools", b"admission")
    assert refusal.request_id == mesh.policy.admitted[0].request_id
    assert len(release.reservation_id) == 26


async def test_a_masked_request_that_policy_does_not_reserve_is_told_too(mesh: Mesh) -> None:
    masked(mesh)
    mesh.policy.refuses = PolicyError(policy_errors.ERROR_REASON_BUDGET_EXCEEDED, "no money")
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.generate()
    await asyncio.wait_for(mesh.policy.ended.wait(), 10)
    (release,) = mesh.policy.released
    assert (release.reservation_id, release.refusal.reason) == (mesh.policy.reserved[0].reservation_id, "BUDGET_EXCEEDED")
    assert release.refusal.decision_id == "d1"


async def test_what_holds_nothing_and_is_refused_is_not_told(mesh: Mesh) -> None:
    mesh.router.refuses = invalid("input.tools", "fewer")
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.generate()
    assert not mesh.policy.released


async def test_a_count_says_to_policy_that_it_only_counts(mesh: Mesh) -> None:
    masked(mesh)
    await mesh.stub.CountTokens(request(gateway_pb2.CountTokensRequest), metadata=KEY, timeout=20)
    mesh.router.refuses = invalid("input.tools", "fewer")
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.stub.CountTokens(request(gateway_pb2.CountTokensRequest), metadata=KEY, timeout=20)
    assert [each.counts_only for each in mesh.policy.admitted] == [True, True]
    assert not mesh.policy.released, "Admit has recorded it already"
