"""A request that no adapter sends says why in the ledger, to whoever looks: reason, field and target; and every mask leaves proof.

The ways not to send are read from the adapter kit: one that is added is tried here, or stands in a list with the reason why not.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit import errors as kit_errors
from tests.cli.inside import within
from tests.proofs.attacks.test_attack_screening_proof import audited, counts, told_nowhere
from tests.proofs.stand import Stand, model, provider, stand, until

CARD = "4111 1111 1111 1111"
REFUSED = usage_pb2.RESERVATION_STATE_REFUSED
SETTLED = usage_pb2.RESERVATION_STATE_SETTLED
NOT_SENT = usage_pb2.ATTEMPT_OUTCOME_NOT_SENT
ENDPOINTS: Mapping[str, Any] = {
    "LLM_MESH_POLICY_SCREENING": "credit_card=mask",
    "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_FAR": json.dumps({"base_url": "http://10.255.255.1/v1", "local": True}),
    "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_BROKEN": json.dumps({"base_url": "http://127.0.0.1:9/v1", "local": True}),
    "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SHUT": json.dumps(
        {"base_url": "http://127.0.0.1:9/v1", "local": True, "domains": ["domains/elsewhere"]}
    ),
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("unsent")
    with provider(folder) as simulator:
        claude = {"LLM_MESH_ADAPTER_ANTHROPIC_ENDPOINT_SIMULATOR_ANTHROPIC": f"http://{simulator.address}"}
        with stand(folder, simulator, {**ENDPOINTS, **claude}) as made:
            vectors = model("claude-vectors", "sim-echo", endpoint="simulator-anthropic")
            vectors.adapter, vectors.capabilities[:] = "anthropic", ["embeddings"]
            absent = [model(name, "m", endpoint=name) for name in ("nobody", "broken", "far", "shut", "nowhere")]
            seeing = model("seeing", "sim-echo")
            seeing.capabilities.append("image_input")
            seeing.image_tokens = 1_000
            made.put_models([model("plain", "sim-echo"), seeing, vectors, *absent])
            made.mesh = within(made.mesh)
            yield made


def said(text: str = "hi") -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


@dataclass(frozen=True)
class Way:
    """A request that no adapter sends, and what the ledger says of it."""

    body: Mapping[str, Any]
    field: str = ""
    path: str = "/v1/chat/completions"
    exact: bool = False
    repeated: int = 1


PICTURE = [{"type": "image_url", "image_url": {"url": "http://10.0.0.1/a.png"}}]
WAYS: Mapping[str, Way] = {
    "FIDELITY_LOST": Way({"model": "plain", "messages": said(), "odd": 1}, "extras[openai.odd]", exact=True),
    "EXTRA_NOT_ALLOWED": Way({"model": "plain", "messages": said(), "store": True}, "input.extras[openai.store]"),
    "MEDIA_ADDRESS_NOT_ALLOWED": Way(
        {"model": "seeing", "messages": [{"role": "user", "content": PICTURE}]}, "input.messages[0].parts[0].image.uri"
    ),
    "UNSUPPORTED": Way({"model": "claude-vectors", "input": "hi"}, path="/v1/embeddings"),
    "UNKNOWN_ENDPOINT": Way({"model": "nowhere", "messages": said()}),
    "NO_CREDENTIAL": Way({"model": "shut", "messages": said()}),
    "ADDRESS_NOT_ALLOWED": Way({"model": "far", "messages": said()}),
    "PROVIDER_UNREACHABLE": Way({"model": "nobody", "messages": said()}),
    "BREAKER_OPEN": Way({"model": "broken", "messages": said()}, repeated=12),
}
NOT_FROM_OUTSIDE = {
    "GRANT_MISMATCH": "the gateway itself would have to be wrong; tests/gateway/test_gateway_refusals.py has it",
    "BULKHEAD_FULL": "needs a full endpoint for as long as requests wait; tests/gateway/test_gateway_refusals.py has it",
    "PROVIDER_TIMEOUT": "only where a connection takes too long; once a request is out, something was sent",
}


def reasons_before_dispatch() -> set[str]:
    """Of each failure of the kit that may say that nothing was sent."""
    tree = ast.parse(inspect.getsource(kit_errors))
    found = set()
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        source = ast.unparse(function)
        if "'false'" in source and "sent" in source:
            found |= {
                node.attr.removeprefix("ERROR_REASON_")
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute) and node.attr.startswith("ERROR_REASON_")
            }
    return found


def test_every_way_not_to_send_is_tried_or_has_a_reason_why_not() -> None:
    elsewhere = {"BREAKER_OPEN", "BULKHEAD_FULL"}  # made where breakers and bulkheads are
    assert reasons_before_dispatch() | elsewhere == set(WAYS) | set(NOT_FROM_OUTSIDE)


@pytest.mark.parametrize(("reason", "way"), WAYS.items(), ids=list(WAYS))
def test_why_nothing_was_sent_stands_in_requests_show_and_in_explain(mesh: Stand, reason: str, way: Way) -> None:
    headers = {"x-llm-mesh-fidelity": "exact"} if way.exact else {}
    before = len(mesh.provider.log(event="received"))
    replies = [mesh.ask(way.body, path=way.path, headers=headers) for _ in range(way.repeated)]
    assert all(each.status >= 400 for each in replies), replies
    reply = replies[-1]
    assert len(mesh.provider.log(event="received")) == before, "nothing was sent"
    request, target = reply.headers["x-request-id"], str(way.body["model"])
    entry = mesh.entry(request)
    assert (entry.state, entry.charged.nanos) == (REFUSED, 0)
    assert {(each.usage.outcome, each.usage.error_reason, each.usage.error_field) for each in entry.lines} == {
        (NOT_SENT, reason, way.field)
    }
    assert {each.model for each in entry.lines} == {f"domains/shared/models/{target}"}
    line = entry.lines[0]
    for command in (("requests", "show"), ("explain",)):
        shown = mesh.mesh.cli(*command, request).stdout
        assert [word for word in (reason, way.field, line.model, line.endpoint, "not sent") if word not in shown] == [], shown
        told = mesh.mesh.cli(*command, request, "--json").stdout
        assert reason in told


def test_nothing_that_was_not_sent_holds_money_or_counts_as_spent(mesh: Stand) -> None:
    mesh.put_budget(1_000_000_000)
    reply = mesh.ask(WAYS["EXTRA_NOT_ALLOWED"].body)
    mesh.entry(reply.headers["x-request-id"])
    budget = mesh.budget()
    assert (budget.spent.nanos, budget.held.nanos) == (0, 0)


def grpc_input(text: str, alias: str = "plain") -> generate_pb2.GenerateInput:
    part = content_pb2.Part(text=content_pb2.Text(text=text))
    return generate_pb2.GenerateInput(model=alias, messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])


def test_a_masked_count_has_an_entry_an_event_and_a_record_and_is_not_spent(mesh: Stand) -> None:
    reply = mesh.ask({"model": "plain", "max_tokens": 9, "messages": said(CARD)}, path="/v1/messages/count_tokens")
    assert reply.status == 200, reply
    request = reply.headers["x-request-id"]
    entry = mesh.entry(request)
    assert (entry.state, entry.operation, counts(entry)) == (SETTLED, "count_tokens", [("credit_card", 0, 1, 0, "request")])
    assert audited(mesh, request, "requests.screen").detail == "credit_card masked 1"
    until(lambda: request in mesh.mesh.cli("tail", "--no-follow", "-n", "50", "--json").stdout, "tail knows the count", pause=0.3)
    assert "credit_card" in mesh.mesh.cli("requests", "show", request).stdout
    clean = mesh.ask({"model": "plain", "max_tokens": 9, "messages": said()}, path="/v1/messages/count_tokens")
    assert not mesh.entries(clean.headers["x-request-id"]), "a clean count writes nothing"
    told_nowhere(mesh, CARD)


def test_a_masked_request_that_no_model_may_answer_has_an_entry_an_event_and_a_record(mesh: Stand) -> None:
    reply = mesh.ask({"model": "claude-vectors", "messages": said(CARD)})
    assert reply.code == "no_eligible_target", reply
    request = reply.headers["x-request-id"]
    until(lambda: mesh.entries(request), "the refusal is recorded")
    entry = mesh.entry(request)
    assert (entry.state, entry.refused_reason, counts(entry)) == (REFUSED, "NO_ELIGIBLE_TARGET", [("credit_card", 0, 1, 0, "request")])
    assert entry.decision_id == reply.headers["x-llm-mesh-decision"]
    assert audited(mesh, request, "requests.screen").detail == "credit_card masked 1"
    for command in (("requests", "show"), ("explain",)):
        shown = mesh.mesh.cli(*command, request).stdout
        assert "NO_ELIGIBLE_TARGET" in shown
    told_nowhere(mesh, CARD)


def test_a_masked_request_over_grpc_that_may_cost_too_much_has_an_entry_too(mesh: Stand) -> None:
    mesh.put_budget(1)
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    sent = (*mesh.user, ("x-request-id", "masked-and-poor"))
    with pytest.raises(grpc.RpcError, match="budget"):
        stub.Generate(gateway_pb2.GenerateRequest(input=grpc_input(CARD)), metadata=sent, timeout=20)
    entry = mesh.entry("masked-and-poor")
    assert (entry.state, entry.refused_reason, counts(entry)) == (REFUSED, "BUDGET_EXCEEDED", [("credit_card", 0, 1, 0, "request")])
    assert audited(mesh, "masked-and-poor", "requests.screen").detail == "credit_card masked 1"
    mesh.put_budget(1_000_000_000)
