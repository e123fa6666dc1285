"""Whoever has a gateway record as much as it can leaves room for the answers of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.e2e.scripted_upstream import scripted_upstream
from tests.proofs.gone import chat
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, bearer, model, provider, stand

ROOM = 40_000
PIECE = 9_000
HOG = "domains/hog"
KEEPING = "domains/default/projects/keeping"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A gateway with little room, and a model whose answers do not end."""
    folder: Path = tmp_path_factory.mktemp("room")
    with provider(folder) as simulator, scripted_upstream() as upstream:
        head = {"id": "c", "created": 1, "model": "m", "object": "chat.completion.chunk"}
        begun = {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "x" * PIECE}}]}
        upstream.script = {"pieces": [f"data: {json.dumps(begun)}\n\n", *[": waiting\n\n"] * 300], "gap": 0.1}
        env = {
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_ENDLESS": json.dumps({"base_url": f"http://127.0.0.1:{upstream.port}/v1", "local": True}),
            "LLM_MESH_GATEWAY_RECORDED_ANSWER_BYTES": str(ROOM),
        }
        with stand(folder, simulator, env) as made:
            made.put_models([model("quick", "sim-echo"), model("endless", "endless", endpoint="endless")])
            person = f"{HOG}/principals/person"
            made.apply_policy(
                domains=[identity_pb2.Domain(name=HOG)],
                projects=[identity_pb2.Project(name=name, keep_answers=True) for name in (f"{HOG}/projects/main", KEEPING)],
                principals=[identity_pb2.Principal(name=person)],
                bindings=[
                    rules_pb2.Binding(name=f"{HOG}/bindings/person", principal=person, role="roles/application"),
                    rules_pb2.Binding(
                        name="domains/default/bindings/keeping",
                        principal="domains/default/principals/application",
                        role="roles/application",
                        scope="domains/default",
                    ),
                ],
            )
            yield made


def test_nobody_takes_all_the_room_for_answers(mesh: Stand) -> None:
    hog, mine = mesh.new_key(f"{HOG}/projects/main", f"{HOG}/principals/person").secret, mesh.new_key(KEEPING).secret
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    calls = []
    try:
        for number in range(ROOM // PIECE):
            options = gateway_pb2.RequestOptions(idempotency_key=f"hog-{number}")
            asking = gateway_pb2.GenerateStreamRequest(input=chat("endless", "go on"), options=options)
            calls.append(stub.GenerateStream(asking, metadata=bearer(hog), timeout=25))
            next(message for message in calls[-1] if any(event.WhichOneof("kind") == "text" for event in message.events))
        said = "y" * (ROOM // 8)
        replies = [mesh.ask(chat_body("quick", said), key=mine, headers={"idempotency-key": "mine"}) for _ in range(2)]
    finally:
        for call in calls:
            call.cancel()
    assert [reply.status for reply in replies] == [200, 200], replies[-1].body
    assert replies[1].headers["x-llm-mesh-replayed"] == "true"
