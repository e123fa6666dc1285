"""Amounts, durations, limits, and what each documented failure is to HTTP."""

import importlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_edge.domain.failures import Failure, failure_of
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.receipts import amount, limit_headers, span, translation_headers
from llm_mesh_edge.http import anthropic, openai
from llm_mesh_runtime.errors import MeshError, invalid

AREAS = ["mesh", "gateway", "policy", "router", "catalogue", "adapter"]


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_amounts_are_exact(nanos: int) -> None:
    text = amount(resources_pb2.Money(currency="USD", nanos=nanos))
    assert Decimal(text) * 10**9 == nanos
    assert "E" not in text.upper()


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(-5, "0ms"), (120, "120ms"), (1000, "1s"), (1500, "2s"), (60_000, "1m0s"), (90_000, "1m30s"), (3_600_000, "1h0m0s")],
)
def test_durations_are_written_as_clients_read_them(milliseconds: int, text: str) -> None:
    assert span(milliseconds) == text


def test_the_tightest_of_several_limits_is_told() -> None:
    limits = [
        policy_pb2.LimitStatus(metric="requests", limit=100, remaining=50),
        policy_pb2.LimitStatus(metric="requests", limit=10, remaining=-1),
        policy_pb2.LimitStatus(metric="output_tokens", limit=1000, remaining=7),
        policy_pb2.LimitStatus(metric="money", limit=1, remaining=1),
    ]
    assert dict(limit_headers(limits)) == {
        b"x-ratelimit-limit-requests": b"10",
        b"x-ratelimit-remaining-requests": b"0",
        b"x-ratelimit-limit-tokens": b"1000",
        b"x-ratelimit-remaining-tokens": b"7",
    }


def test_many_translations_fit_into_a_header() -> None:
    dropped = generate_pb2.TRANSLATION_ACTION_DROPPED
    many = [generate_pb2.Translation(field=f"messages[{each}].näme\r\n", action=dropped) for each in range(500)]
    ((_, value),) = translation_headers(many)
    assert value.startswith(b"messages[0].nme=dropped, messages[1]")
    assert value.endswith(b", more=omitted")
    assert len(value) < 2200
    assert translation_headers([]) == []


def every_reason() -> list[MeshError]:
    found = []
    for area in AREAS:
        reasons = importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2").ErrorReason
        error = type("Error", (MeshError,), {"reasons": reasons})
        found += [error(number, "it failed") for number in reasons.values() if number]
    return found


@pytest.mark.parametrize("error", every_reason(), ids=lambda error: f"{error.domain}-{error.reason_name}")
def test_every_documented_reason_has_a_status_and_a_shape(error: MeshError) -> None:
    failure = failure_of(error)
    assert failure.status == error.http
    body = openai.shape(failure, Headers([]))
    assert isinstance(body, dict)
    assert body["error"]["llm_mesh_code"] == error.reason_name.lower()
    assert body["error"]["code"]
    assert body["error"]["type"]
    body = anthropic.shape(failure, Headers([]))
    assert isinstance(body, dict)
    assert (body["type"], body["error"]["code"]) == ("error", error.reason_name.lower())
    assert body["error"]["type"]


@pytest.mark.parametrize(
    ("field", "of_openai", "of_anthropic"),
    [
        ("input.messages[0].role", "messages[0].role", "messages[0].role"),
        ("input.sampling.temperature", "temperature", "temperature"),
        ("input.max_output_tokens", "max_completion_tokens", "max_tokens"),
        ("input.stop[1]", "stop[1]", "stop_sequences[1]"),
        ("input.candidate_count", "n", "candidate_count"),
        ("input.items[2]", "input[2]", "items[2]"),
        ("input.end_user", "user", "metadata.user_id"),
        ("options.tags.a", "llm_mesh.tags.a", "llm_mesh.tags.a"),
        ("options.idempotency_key", "Idempotency-Key", "Idempotency-Key"),
        ("prompt.name", "llm_mesh.prompt.name", "llm_mesh.prompt.name"),
        ("project", "llm_mesh.project", "llm_mesh.project"),
    ],
)
def test_fields_are_named_as_the_clients_body_names_them(field: str, of_openai: str, of_anthropic: str) -> None:
    failure = failure_of(invalid(field, "otherwise"))
    told: Any = [dialect(failure, Headers([])) for dialect in (openai.shape, anthropic.shape)]
    assert [each["error"]["param"] for each in told] == [of_openai, of_anthropic]


def test_a_refusal_that_says_nothing_of_time_is_not_to_be_repeated() -> None:
    assert (b"x-should-retry", b"false") in Failure(429, "budget_exceeded", "spent").headers()
    assert (b"x-should-retry", b"false") not in Failure(400, "invalid_field", "wrong").headers()
    assert dict(Failure(503, "overloaded", "full", retry_after=0.05, repeat=True).headers()) == {
        b"retry-after": b"1",
        b"retry-after-ms": b"50",
        b"x-should-retry": b"true",
    }


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


def test_a_refused_repetition_costs_nothing_and_has_the_first_receipt() -> None:
    error = PolicyError(policy_errors.ERROR_REASON_IDEMPOTENCY_COMPLETED, "it has ended")
    error.metadata |= {"charged_nanos": "1500000000", "charged_currency": "USD", "reservation": "r", "request_id": "first"}
    error.metadata |= {"input_tokens": "7", "output_tokens": "3", "outcome": "completed"}
    failure = failure_of(error)
    headers = dict(failure.headers())
    assert (headers[b"x-llm-mesh-cost"], headers[b"x-llm-mesh-first-request"]) == (b"0", b"first")
    first = {"request": "first", "cost": "1.5", "currency": "USD", "input_tokens": 7, "output_tokens": 3, "outcome": "completed"}
    assert failure.receipt() == {"cost": "0", "currency": "USD", "reservation": "r", "first": first}
