"""Whoever made a request learns which routing decision it came of, and why it came out so; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.http import Reply
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, bearer, model, provider, stand

DECISION = "x-llm-mesh-decision"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with a model that answers, one that cannot be reached, and one that cannot generate."""
    folder: Path = tmp_path_factory.mktemp("say-why")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        mute = model("mute", "sim-echo")
        del mute.capabilities[:]
        mute.capabilities.append("embeddings")
        made.put_models([model("plain", "sim-echo"), model("away", "sim-echo", endpoint="nobody"), mute])
        yield made


def decision_of(reply: Reply) -> str:
    found = reply.headers.get(DECISION, "")
    assert len(found) == 16, reply
    return found


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_every_answer_and_every_routed_refusal_names_its_decision(mesh: Stand, path: str, streamed: bool) -> None:  # noqa: FBT001
    replies = [
        mesh.ask(chat_body(name, "hi") | {"max_tokens": 20, "stream": streamed}, path=path) for name in ("plain", "away", "mute", "nothing")
    ]
    assert replies[0].status == 200
    assert all(reply.status >= 400 for reply in replies[1:])
    assert len({decision_of(reply) for reply in replies}) == 4


def test_a_count_names_its_decision(mesh: Stand) -> None:
    reply = mesh.ask(chat_body("plain", "hi"), path="/v1/messages/count_tokens")
    assert reply.status == 200
    decision_of(reply)


def test_vectors_name_their_decision(mesh: Stand) -> None:
    decision_of(mesh.ask({"model": "mute", "input": "hi"}, path="/v1/embeddings"))


def test_what_is_refused_before_it_is_routed_names_none(mesh: Stand) -> None:
    for reply in (mesh.ask(b"{"), mesh.ask(chat_body("plain", "hi"), key="mk_wrong")):
        assert reply.status >= 400
        assert DECISION not in reply.headers


@pytest.mark.parametrize("alias", ["plain", "away", "mute"])
def test_over_grpc_the_trailers_name_it(mesh: Stand, alias: str) -> None:
    part = content_pb2.Part(text=content_pb2.Text(text="hi"))
    given = generate_pb2.GenerateInput(model=alias, messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    whole = stub.Generate.with_call if alias == "plain" else None
    if whole is not None:
        answer, call = whole(gateway_pb2.GenerateRequest(input=given), metadata=mesh.user, timeout=20)
        assert dict(call.trailing_metadata())["llm-mesh-decision"] == answer.receipt.decision_id
        return
    with pytest.raises(grpc.RpcError) as refused:
        stub.Generate(gateway_pb2.GenerateRequest(input=given), metadata=mesh.user, timeout=20)
    error: Any = refused.value
    trailers = dict(error.trailing_metadata())
    assert len(trailers["llm-mesh-decision"]) == 16


def test_a_refusal_says_in_words_what_excluded_each_model(mesh: Stand) -> None:
    reply = mesh.ask(chat_body("mute", "hi"))
    assert (reply.status, reply.code) == (400, "no_eligible_target")
    assert "mute cannot generate" in reply.error["message"]


@pytest.mark.parametrize("alias", ["plain", "away", "mute"])
def test_whoever_made_a_request_may_explain_it(mesh: Stand, alias: str) -> None:
    reply = mesh.ask(chat_body(alias, "hi"))
    for what in (decision_of(reply), reply.headers["x-request-id"]):
        told = mesh.mesh.cli("explain", what, "--key", mesh.mesh.project_key)
        assert told.returncode == 0, told.stderr
        assert f"domains/shared/models/{alias}" in told.stdout
        assert decision_of(reply) in told.stdout
        assert ("excluded: cannot generate" if alias == "mute" else "planned as a1") in told.stdout
        whole = mesh.mesh.cli("explain", what, "--domain", "default")
        assert ("No attempt was made" if alias == "mute" else "ATTEMPT") in whole.stdout


def test_a_name_that_leads_nowhere_is_explained_to_whoever_asked(mesh: Stand) -> None:
    reply = mesh.ask(chat_body("nothing", "hi"))
    assert (reply.status, reply.code) == (404, "model_not_found")
    for what in (decision_of(reply), reply.headers["x-request-id"]):
        told = mesh.mesh.cli("explain", what, "--key", mesh.mesh.project_key)
        assert told.returncode == 0, told.stderr
        assert "No target: nothing leads to no model that domains/default has" in told.stdout


def test_nobody_else_learns_that_a_decision_exists(mesh: Stand) -> None:
    decision = decision_of(mesh.ask(chat_body("plain", "hi")))
    stranger = "domains/default/principals/stranger"
    binding = rules_pb2.Binding(name="domains/default/bindings/stranger", principal=stranger, role="roles/application")
    mesh.apply_policy(principals=[identity_pb2.Principal(name=stranger)], bindings=[binding])
    key = mesh.new_key(principal=stranger).secret
    router: Any = router_pb2_grpc.RouterServiceStub(mesh.channel)
    said = set()
    for name in (decision, "0" * 16):
        full = f"domains/default/routeDecisions/{name}"
        with pytest.raises(grpc.RpcError) as refused:
            router.ExplainDecision(router_pb2.ExplainDecisionRequest(name=full), metadata=bearer(key), timeout=20)
        error: Any = refused.value
        said.add((error.code(), error.details().replace(name, "…")))
    assert said == {(grpc.StatusCode.NOT_FOUND, "there is no decision domains/default/routeDecisions/…")}
