"""Errors on the wire: one reason, details that fit, and nothing of a defect."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors_pb2
from llm_mesh_runtime import errors
from llm_mesh_runtime.errors import MeshError, PeerError, RuntimeFault
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.status import DETAILS_KEY, MAX_DETAILS, Failures, serialised_status, trailers


class PolicyError(MeshError):
    reasons = policy_errors_pb2.ErrorReason


def raised(error: MeshError) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(error.code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers(error)), details=error.message)


def test_reason_domain_code_and_http_status_come_from_the_contract() -> None:
    error = PolicyError(policy_errors_pb2.ERROR_REASON_BUDGET_EXCEEDED, "spent")
    assert (error.reason_name, error.domain) == ("BUDGET_EXCEEDED", "policy.llm-mesh")
    assert (error.code, error.http) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 429)
    assert error.remedy


def test_every_reason_of_the_mesh_has_a_code_and_an_http_status() -> None:
    for number in errors_pb2.ErrorReason.values()[1:]:
        error = RuntimeFault(number, "text")
        assert error.code is not grpc.StatusCode.OK
        assert 400 <= error.http <= 599


def test_a_reason_that_does_not_exist_is_a_defect() -> None:
    assert PolicyError(9999, "text").reason_name == "INTERNAL"
    assert PolicyError(0, "text").reason_name == "INTERNAL"


def test_a_status_carries_exactly_one_error_info_and_the_details_that_help() -> None:
    error = PolicyError(
        policy_errors_pb2.ERROR_REASON_LIMIT_EXCEEDED, "slow down", field="n", retry_after=1.5, quota=[("domains/x", "10/min")], a="b"
    )
    status = status_pb2.Status.FromString(serialised_status(error))
    kinds = [detail.TypeName() for detail in status.details]
    assert kinds == ["google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo", "google.rpc.QuotaFailure"]
    info = error_details_pb2.ErrorInfo.FromString(status.details[0].value)
    assert (info.reason, info.domain, dict(info.metadata)) == ("LIMIT_EXCEEDED", "policy.llm-mesh", {"a": "b"})


def test_an_error_survives_the_wire_whole() -> None:
    sent = PolicyError(
        policy_errors_pb2.ERROR_REASON_LIMIT_EXCEEDED, "slow down", field="n", retry_after=1.5, quota=[("domains/x", "10/min")], a="b"
    )
    got = from_rpc_error(raised(sent), peer="policy")
    for name in ("reason_name", "domain", "code", "http", "remedy", "message", "field", "retry_after", "quota", "metadata"):
        assert getattr(got, name) == getattr(sent, name), name
    assert got.peer == "policy"


def test_a_peers_error_passes_on_unchanged() -> None:
    first = raised(PolicyError(policy_errors_pb2.ERROR_REASON_BUDGET_EXCEEDED, "spent", budget="b"))
    passed = raised(from_rpc_error(first))
    assert (first.trailing_metadata() or {})[DETAILS_KEY] == (passed.trailing_metadata() or {})[DETAILS_KEY]
    assert passed.code() is first.code()


@given(
    message=st.text(max_size=20_000),
    field=st.text(max_size=5_000),
    metadata=st.dictionaries(st.text(max_size=500), st.text(max_size=10_000), max_size=40),
)
def test_details_always_fit_beside_the_other_headers(message: str, field: str, metadata: dict[str, str]) -> None:
    error = RuntimeFault(errors_pb2.ERROR_REASON_INVALID_FIELD, message, field=field, quota=[(message, message)] * 20)
    error.metadata = metadata
    raw = serialised_status(error)
    assert len(raw) <= MAX_DETAILS
    assert status_pb2.Status.FromString(raw).details[0].TypeName() == "google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    ("code", "details", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused", "PEER_UNAVAILABLE"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", "DEADLINE_EXCEEDED"),
        (grpc.StatusCode.CANCELLED, "CANCELLED", "PEER_UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (5 vs. 4)", "MESSAGE_TOO_LARGE"),
        (grpc.StatusCode.UNIMPLEMENTED, "Method not found!", "NOT_IMPLEMENTED"),
        (grpc.StatusCode.UNKNOWN, "a secret of the handler", "INTERNAL"),
    ],
)
def test_a_status_without_details_gets_a_reason_by_its_code(code: grpc.StatusCode, details: str, reason: str) -> None:
    error = from_rpc_error(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details), peer="policy")
    assert error.reason_name == reason
    assert details not in error.message
    if reason == "PEER_UNAVAILABLE":
        assert error.metadata == {"peer": "policy"}
        assert error.retry_after is not None


def test_details_that_do_not_parse_count_as_none() -> None:
    metadata = grpc.aio.Metadata((DETAILS_KEY, b"\xff\xff"))
    error = from_rpc_error(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), metadata, details="x"))
    assert error.reason_name == "PEER_UNAVAILABLE"


def test_a_reason_that_this_build_does_not_know_passes_too() -> None:
    info = error_details_pb2.ErrorInfo(reason="FROM_THE_FUTURE", domain="policy.llm-mesh")
    status = status_pb2.Status(message="text")
    status.details.add().Pack(info)
    metadata = grpc.aio.Metadata((DETAILS_KEY, status.SerializeToString()))
    error = from_rpc_error(grpc.aio.AioRpcError(grpc.StatusCode.FAILED_PRECONDITION, grpc.aio.Metadata(), metadata))
    assert (error.reason_name, error.domain, error.http) == ("FROM_THE_FUTURE", "policy.llm-mesh", 400)


@pytest.mark.parametrize("reason", ["A" * 64, "no words", "a\x1b[2J", "A", "x"])
def test_a_reason_without_the_form_of_one_is_unknown(reason: str) -> None:
    """It would be refused by the ledger, and drive terminals."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain="adapter.elsewhere", metadata={"sent": "false"})
    status = status_pb2.Status(code=9, message="x")
    status.details.add().Pack(info)
    metadata = grpc.aio.Metadata((DETAILS_KEY, status.SerializeToString()))
    error = from_rpc_error(grpc.aio.AioRpcError(grpc.StatusCode.FAILED_PRECONDITION, grpc.aio.Metadata(), metadata))
    assert (error.reason_name, error.metadata) == ("UNKNOWN", {"sent": "false"})


def test_only_known_exceptions_mean_something_to_the_caller() -> None:
    failures = Failures((lambda error: errors.store_unavailable() if isinstance(error, ConnectionError) else None,))
    known = failures.fault_of(ConnectionResetError())
    assert known is not None
    assert known.reason_name == "STORE_UNAVAILABLE"
    assert failures.fault_of(ValueError("text")) is None
    missing = failures.fault_of(NotImplementedError())
    assert missing is not None
    assert missing.reason_name == "NOT_IMPLEMENTED"


def test_shorthands_say_what_they_are_about() -> None:
    assert errors.invalid("name", "a name", got="1").metadata == {"got": "1"}
    assert errors.invalid("name", "a name").field == "name"
    assert errors.not_found("domains/x").metadata == {"resource": "domains/x"}
    assert errors.already_exists("domains/x").code is grpc.StatusCode.ALREADY_EXISTS
    assert errors.etag_mismatch("domains/x").code is grpc.StatusCode.ABORTED
    assert errors.invalid_seal("grant").code is grpc.StatusCode.PERMISSION_DENIED
    assert isinstance(from_rpc_error(raised(errors.not_implemented("x"))), PeerError)
