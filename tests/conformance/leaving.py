"""A caller who goes away, at each edge and adapter: the provider's connection closes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import generate_pb2
from tests.conformance.asking import ContractEdge, HttpEdge, Question
from tests.proofs.http import Leaver, call
from tests.proofs.stand import PATIENCE, Stand, until


def outcome_of_leaving(stand: Stand, question: Question, request: str) -> str:
    """How the provider's own log says that the answer ended: `client_gone`."""
    leave = _begun(stand, question, request)
    (line,) = until(lambda: _lines(stand, "received", {"x-llm-mesh-request-id": request}), f"the provider is asked: {request}")
    leave()
    (served,) = until(lambda: _lines(stand, "served", {"id": line["id"]}), f"the provider's connection closes: {request}")
    return str(served["outcome"])


def _begun(stand: Stand, question: Question, request: str) -> Callable[[], Any]:
    edge = question.edge
    if isinstance(edge, HttpEdge):
        body = json.dumps(edge.body_of(question)).encode()
        headers = {"authorization": f"Bearer {stand.mesh.project_key}", "content-type": "application/json", "x-request-id": request}
        leaver = Leaver(stand.mesh.addresses["http"], edge.path_of(question), body, headers)
        if question.stream:
            next(leaver.pieces())
        return leaver.leave
    assert isinstance(edge, ContractEdge)
    made = json_format.ParseDict({**question.body, "model": question.alias}, generate_pb2.GenerateInput())
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(stand.channel)
    metadata = (*stand.user, ("x-request-id", request))
    if not question.stream:
        future = stub.Generate.future(gateway_pb2.GenerateRequest(input=made), metadata=metadata, timeout=PATIENCE)
        return future.cancel  # type: ignore[no-any-return]
    answer = stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=made), metadata=metadata, timeout=PATIENCE)
    next(answer)
    return answer.cancel  # type: ignore[no-any-return]


def _lines(stand: Stand, event: str, equal: dict[str, str]) -> list[Any]:
    query = "&".join(f"{name}={value}" for name, value in {"event": event, **equal}.items())
    entries: list[Any] = json.loads(call(stand.provider.address, "GET", f"/_simulator/log?limit=10&{query}").body)["entries"]
    return entries
