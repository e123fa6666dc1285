"""What a domain writes about a product of others says nothing about the product to anybody else."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, bearer, model, provider, route, stand, until

ATTACKER = "domains/hasty"
SHARED, ROUTED, BEHIND = "common", "common-route", "behind"
LIMITS = ("connect", "first_token", "idle", "total")
UPLOADS = 64 * 1024 * 1024
MESSAGES = 40
"""Calls whose message does not come: twice what one principal may have under way at a listener."""
UNENDED, SENT = 24, 8 * 1024 * 1024
"""Bodies that stop before their end, and the bytes that come of each: half of them are more than a tenant's share of one process."""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("neighbours")
    with provider(folder) as simulator, stand(folder, simulator, {"LLM_MESH_EDGE_UPLOADS": str(UPLOADS)}) as made:
        made.put_models([model(SHARED, "sim-echo"), model(BEHIND, "sim-words")], [route(ROUTED, SHARED, BEHIND)])
        yield made


@pytest.fixture(scope="module")
def attacker(mesh: Stand) -> dict[str, str]:
    """Its administrator's key, and its application's."""
    people = {f"{ATTACKER}/principals/admin": "roles/domain-admin", f"{ATTACKER}/principals/app": "roles/application"}
    bindings = [
        rules_pb2.Binding(name=f"{ATTACKER}/bindings/{person.rpartition('/')[2]}", principal=person, role=role)
        for person, role in people.items()
    ]
    mesh.apply_policy(
        domains=[identity_pb2.Domain(name=ATTACKER)],
        projects=[identity_pb2.Project(name=f"{ATTACKER}/projects/main")],
        principals=[identity_pb2.Principal(name=person) for person in people],
        bindings=bindings,
    )
    return {person.rpartition("/")[2]: mesh.new_key(f"{ATTACKER}/projects/main", person).secret for person in people}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_route_with_limits_that_nobody_can_keep_closes_no_model_for_others(mesh: Stand, attacker: dict[str, str], limit: str) -> None:
    alias = f"hasty-{limit.replace('_', '-')}"
    made = router_pb2.Route(name=f"{ATTACKER}/routes/{alias}", alias=alias, targets=[{"model": f"domains/shared/models/{SHARED}"}])
    getattr(made.limits, limit).FromMicroseconds(1)
    router: Any = router_pb2_grpc.RouterServiceStub(mesh.channel)
    request = router_pb2.CreateRouteRequest(parent=ATTACKER, route_id=alias, route=made)
    router.CreateRoute(request, metadata=bearer(attacker["admin"]), timeout=20)
    until(lambda: mesh.ask(chat_body(alias, "hello"), key=attacker["app"]).status != 404, "the route is known", pause=0.05)
    for _ in range(12):
        status = mesh.ask(chat_body(alias, "hello"), key=attacker["app"]).status
        assert status >= 500 or limit in {"connect", "idle"}, "a kept connection, and an answer in one piece, have nothing to wait for"
    assert mesh.ask(chat_body(SHARED, "hello")).status == 200
    time.sleep(1)  # outcomes are reported every half second
    answer = mesh.ask(chat_body(ROUTED, "hello"))
    assert (answer.status, answer.headers["x-llm-mesh-model"]) == (200, f"domains/shared/models/{SHARED}"), "nor sends them elsewhere"


def test_bodies_that_do_not_end_take_no_room_from_others(mesh: Stand, attacker: dict[str, str]) -> None:
    host, _, port = mesh.mesh.addresses["http"].rpartition(":")
    large = chat_body(SHARED, "hello " * 500_000)
    answered = "no_eligible_target"  # it was read to its end, and is larger than the model's window
    lines = ("POST /v1/chat/completions HTTP/1.1", f"host: {host}", f"authorization: Bearer {attacker['app']}", "content-length: 30000000")
    head = "\r\n".join((*lines, "", "")).encode()
    with ExitStack() as opened:
        unended = [opened.enter_context(socket.create_connection((host, int(port)), 30)) for _ in range(UNENDED)]
        for each in unended:
            each.sendall(head + b" " * SENT)
        refused, _, _ = select.select(unended, [], [], 30)
        assert refused, "more than its share is refused"
        assert refused[0].recv(4096).startswith(b"HTTP/1.1 503 ")
        assert mesh.ask(large).code == answered
    until(lambda: mesh.ask(large, key=attacker["app"]).code == answered, "what it held has come back")


def test_messages_over_grpc_that_do_not_come_take_no_place_from_others(mesh: Stand, attacker: dict[str, str]) -> None:
    part = content_pb2.Part(text=content_pb2.Text(text="hello"))
    given = generate_pb2.GenerateInput(model=SHARED, messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])
    request, ended = gateway_pb2.GenerateRequest(input=given), threading.Event()
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    stub.Generate(request, metadata=bearer(attacker["app"]), timeout=20)  # from now on it is known

    def nothing() -> Iterator[bytes]:
        ended.wait()
        yield from ()

    method = mesh.channel.stream_unary("/llm_mesh.gateway.v1.GatewayService/Generate")  # the same on the wire
    calls = [method.future(nothing(), metadata=bearer(attacker["app"]), timeout=60) for _ in range(MESSAGES)]
    try:
        with pytest.raises(grpc.RpcError) as refused:
            stub.Generate(request, metadata=bearer(attacker["app"]), timeout=2)
        error: Any = refused.value
        assert error.code() in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}, "it waits for itself"
        for _ in range(10):
            stub.Generate(request, metadata=mesh.user, timeout=20)
    finally:
        for each in calls:
            each.cancel()
        ended.set()
    until(lambda: _answered(stub, request, attacker["app"]), "what it held has come back")


def _answered(stub: Any, request: gateway_pb2.GenerateRequest, key: str) -> bool:
    try:
        stub.Generate(request, metadata=bearer(key), timeout=2)
    except grpc.RpcError:
        return False
    return True


def test_no_position_tells_a_tenant_what_others_do(mesh: Stand, attacker: dict[str, str]) -> None:
    assert mesh.ask(chat_body(SHARED, "hello"), key=attacker["app"]).status == 200
    stub: Any = observability_pb2_grpc.ObservabilityServiceStub(mesh.channel)
    metadata = bearer(attacker["admin"])

    def token() -> str:
        tail = stub.Tail(observability_pb2.TailRequest(parent=ATTACKER, backlog=1), metadata=metadata, timeout=20)
        told: str = next(tail).resume_token
        tail.cancel()
        return told

    until(lambda: stub.QuerySpend(observability_pb2.QuerySpendRequest(parent=ATTACKER), metadata=metadata).rows, "it is in the sums")
    tokens = {token() for _ in range(8)}
    assert len(tokens) == 8, "while nobody does anything they differ as much as they do otherwise"
    spend = stub.QuerySpend(observability_pb2.QuerySpendRequest(parent=ATTACKER), metadata=metadata, timeout=20)
    assert spend.through_sequence == 0
    whole = stub.QuerySpend(observability_pb2.QuerySpendRequest(parent="domains/-"), metadata=mesh.admin, timeout=20)
    assert whole.through_sequence > 0


def test_a_token_that_no_tail_gave_is_refused(mesh: Stand) -> None:
    stub: Any = observability_pb2_grpc.ObservabilityServiceStub(mesh.channel)
    for token in ("9" * 5_000, "9" * 19, "-1", "\u0663"):
        request = observability_pb2.TailRequest(parent="domains/default", resume_token=token)
        with pytest.raises(grpc.RpcError) as raised:
            list(stub.Tail(request, metadata=mesh.admin, timeout=20))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT, token
