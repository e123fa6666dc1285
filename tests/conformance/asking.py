"""One request through an edge of the mesh, and what is seen of it: the answer, what a translation changed, what the provider got."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import grpc
from google.protobuf import json_format

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import generate_pb2
from tests.proofs.http import call
from tests.proofs.refusals import refusal
from tests.proofs.stand import PATIENCE, Stand

_AT_ONCE = 8
_KEPT = 10_000
"""Requests that the simulator shows."""
_REPEATED = 3
"""More often than so no request comes to a provider."""
_OK = http.client.OK
_HEADERS = frozenset({"anthropic-beta"})
"""Headers in which a provider is told something of the request."""
_ACTIONS = {
    generate_pb2.TRANSLATION_ACTION_DROPPED: "dropped",
    generate_pb2.TRANSLATION_ACTION_APPROXIMATED: "approximated",
    generate_pb2.TRANSLATION_ACTION_RENAMED: "renamed",
}


@dataclass(frozen=True)
class Question:
    """A request: to which edge, in its own form, for which model."""

    edge: Edge
    alias: str
    body: Any
    stream: bool = False


@dataclass
class Seen:
    """What became of a request."""

    reason: str = ""
    """Of the error; empty where there is an answer."""
    place: str = ""
    """The field that is wrong."""
    message: str = ""
    notes: frozenset[str] = frozenset()
    """What the translation changed: `sampling.top_k=dropped`."""
    answer: Any = None
    """In the form of the edge: a body, events, or a message."""
    question: Any = None
    sent: list[Any] = field(default_factory=list)
    """What arrived at the provider: path, headers that say something, body."""


class Edge(Protocol):
    """One way into the mesh."""

    name: str

    def ask(self, stand: Stand, question: Question, request: str) -> Seen:
        """Ask once."""
        ...


def asked(stand: Stand, questions: Iterable[Question]) -> list[Seen]:
    """All requests, several at once, in their order."""
    numbered = list(enumerate(questions))
    run = f"conformance-{uuid4().hex}"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        seen = list(pool.map(lambda each: each[1].edge.ask(stand, each[1], f"{run}-{each[0]}"), numbered))
    arrived: dict[str, list[Any]] = {}
    most = min(_KEPT, len(seen) * _REPEATED)
    for line in json.loads(call(stand.provider.address, "GET", f"/_simulator/requests?limit={most}").body)["requests"]:
        headers = line["headers"]
        told = {name: headers[name] for name in sorted(_HEADERS & headers.keys())}
        arrived.setdefault(headers.get("x-llm-mesh-request-id", ""), []).append([line["path"], told, json.loads(line["body"] or "null")])
    for number, each in enumerate(seen):
        each.question = numbered[number][1]
        each.sent = arrived.get(f"{run}-{number}", [])
    return seen


class HttpEdge:
    """An edge that speaks a provider's dialect over HTTP."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path

    def path_of(self, question: Question) -> str:
        """Where it is asked."""
        del question
        return self.path

    def body_of(self, question: Question) -> dict[str, Any]:
        """What is sent."""
        return {**question.body, "model": question.alias, **({"stream": True} if question.stream else {})}

    def field_of(self, error: Mapping[str, Any]) -> str:
        """The field that an error names."""
        return str(error.get("param") or "")

    def ask(self, stand: Stand, question: Question, request: str) -> Seen:
        """See `Edge`."""
        reply = stand.ask(self.body_of(question), headers={"x-request-id": request}, path=self.path_of(question))
        if reply.status != _OK:
            return Seen(reason=reply.code.upper(), place=self.field_of(reply.error), message=str(reply.error.get("message")))
        changed = reply.headers.get("x-llm-mesh-translations", "")
        answer = reply.events() if question.stream else reply.json()
        errors = [each["error"] for each in answer if "error" in each] if question.stream else []
        reason = str(errors[0].get("llm_mesh_code", "")).upper() if errors else ""
        return Seen(reason=reason, notes=frozenset(filter(None, changed.split(", "))), answer=answer)


class GoogleEdge(HttpEdge):
    """Google's dialect: the path names the model, and whether the answer is streamed."""

    def path_of(self, question: Question) -> str:
        """See `HttpEdge`."""
        method = "streamGenerateContent?alt=sse" if question.stream else "generateContent"
        return f"{self.path}/{question.alias}:{method}"

    def body_of(self, question: Question) -> dict[str, Any]:
        """See `HttpEdge`."""
        return dict(question.body)

    def field_of(self, error: Mapping[str, Any]) -> str:
        """See `HttpEdge`."""
        fields = [violation["field"] for each in error["details"] for violation in each.get("fieldViolations", ())]
        return fields[0] if fields else ""


class ContractEdge:
    """The typed contract of the gateway over gRPC. A body is the JSON of a `GenerateInput`."""

    name = "grpc"

    def ask(self, stand: Stand, question: Question, request: str) -> Seen:
        """See `Edge`."""
        made = json_format.ParseDict({**question.body, "model": question.alias}, generate_pb2.GenerateInput())
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(stand.channel)
        metadata = (*stand.user, ("x-request-id", request))
        try:
            if question.stream:
                asked_for = gateway_pb2.GenerateStreamRequest(input=made)
                events = [event for each in stub.GenerateStream(asked_for, metadata=metadata, timeout=PATIENCE) for event in each.events]
                notes = [note for event in events for note in event.started.translations]
                return Seen(notes=_notes(notes), answer=events)
            output = stub.Generate(gateway_pb2.GenerateRequest(input=made), metadata=metadata, timeout=PATIENCE).output
            return Seen(notes=_notes(output.translations), answer=output)
        except grpc.RpcError as error:
            told = refusal(error)
            return Seen(reason=told.reason, place=told.field, message=told.message)


def explained(stand: Stand, alias: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Why a translation changed what it changed: the notes of an input, by `field=action`."""
    made = json_format.ParseDict({**body, "model": alias}, generate_pb2.GenerateInput())
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(stand.channel)
    output = stub.Generate(gateway_pb2.GenerateRequest(input=made), metadata=stand.user, timeout=PATIENCE).output
    return {_note(each): each.note for each in output.translations}


def _notes(translations: Iterable[generate_pb2.Translation]) -> frozenset[str]:
    return frozenset(map(_note, translations))


def _note(each: generate_pb2.Translation) -> str:
    return f"{each.field}={_ACTIONS.get(each.action, 'changed')}"
