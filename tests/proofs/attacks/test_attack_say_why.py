"""Whoever made a request learns which routing decision it came of, and why it came out so; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from tests.proofs.http import Reply
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, model, provider, stand

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
    replies = [mesh.ask(chat_body(name, "hi") | {"max_tokens": 20, "stream": streamed}, path=path) for name in ("plain", "away", "mute")]
    assert replies[0].status == 200
    assert all(reply.status >= 400 for reply in replies[1:])
    assert len({decision_of(reply) for reply in replies}) == 3


def test_a_count_names_its_decision(mesh: Stand) -> None:
    reply = mesh.ask(chat_body("plain", "hi"), path="/v1/messages/count_tokens")
    assert reply.status == 200
    decision_of(reply)


def test_vectors_name_their_decision(mesh: Stand) -> None:
    decision_of(mesh.ask({"model": "mute", "input": "hi"}, path="/v1/embeddings"))


def test_what_is_refused_before_it_is_routed_names_none(mesh: Stand) -> None:
    for reply in (mesh.ask(chat_body("nothing", "hi")), mesh.ask(b"{"), mesh.ask(chat_body("plain", "hi"), key="mk_wrong")):
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
