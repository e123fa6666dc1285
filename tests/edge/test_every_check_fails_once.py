"""What is wrong with a field is told through each door, and names the field as its client wrote it.

The rules that the contracts declare are enumerated in `tests/contract/test_every_rule_fails_once.py`. The other checks are read from the
code, and each failing one tells which it is: one that is added fails here until a request reaches it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_edge.domain import headers, options
from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_gateway.domain import checks, operation
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import FakePolicy, HostedMesh, host
from tests.edge.fakes import FakeGateway
from tests.edge.field_checks import Seen, checks_of, names_of
from tests.edge.test_every_field_name import OURS
from tests.proofs.attacks.test_attack_field_names import ANTHROPIC, LONG, OPENAI, TEXT, function, said

MODULES = (headers, options, checks)
"""Where the checks of a request are that no rule of a field says."""
KEY = (("authorization", "Bearer mk_ana"),)
ALL = names_of([check for module in MODULES for check in checks_of(module)])
CHAT, MESSAGES, EMBEDDINGS = "/v1/chat/completions", "/v1/messages", "/v1/embeddings"


class Checking(FakeGateway):
    """Checks a request as the gateway does, once the rules of its fields have been checked before it."""

    def note(self, request: Any) -> None:
        super().note(request)
        has_prompt = request.HasField("options") and request.options.HasField("prompt")
        if isinstance(request, gateway_pb2.EmbedRequest | gateway_pb2.EmbedStreamRequest):
            operation.Embedding(request.input, exact=False).check(has_prompt=has_prompt)
        else:
            operation.Generation(request.input, streamed=False, exact=False).check(has_prompt=has_prompt)


@dataclass
class Doors:
    """The ways in."""

    mesh: HostedMesh
    session: aiohttp.ClientSession
    seen: Seen

    async def http(self, path: str, changed: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """What a client of a dialect is told."""
        body: dict[str, Any] = {"model": "plain", "messages": said(TEXT)}
        if path == MESSAGES:
            body["max_tokens"] = 10
        if path == EMBEDDINGS:
            body = {"model": "plain", "input": "hi"}
        sent = {"authorization": "Bearer mk_ana", **more}
        async with self.session.post(f"http://{self.mesh.http('edge')}{path}", json=body | dict(changed), headers=sent) as answer:
            told: dict[str, Any] = await answer.json()
            error: dict[str, Any] = told.get("error") or {"message": f"it was answered {answer.status}"}
            return error if answer.status == 400 else {"message": f"{answer.status}: {error['message']}"}

    async def raw(self, header: bytes) -> bytes:
        """The answer to a request with a header that no client library writes."""
        host_, _, port = self.mesh.http("edge").rpartition(":")
        reader, writer = await asyncio.open_connection(host_, int(port))
        body = b'{"model": "plain", "messages": [{"role": "user", "content": "hi"}]}'
        head = b"POST %s HTTP/1.1\r\nhost: a\r\nauthorization: Bearer mk_ana\r\ncontent-type: application/json\r\nconnection: close\r\n"
        writer.write(head % CHAT.encode() + header + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        answer = await reader.read()
        writer.close()
        return answer

    async def typed(self, request: Any) -> PeerError:
        """What a client over gRPC is told."""
        stub = gateway_pb2_grpc.GatewayServiceStub(self.mesh.channel("gateway", caller="edge"))
        method = stub.Embed if isinstance(request, gateway_pb2.EmbedRequest) else stub.Generate
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await method(request, metadata=KEY, timeout=20)
        return from_rpc_error(refused.value)


@pytest.fixture
async def doors(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Doors]:
    seen = Seen(ALL)
    for module in MODULES:
        monkeypatch.setattr(module, "invalid", seen.recording(module, module.invalid))
    services = (FakePolicy().service(), Checking().service(), service)
    async with (
        host(*services, settings={"edge": Settings(max_body=8_000_000)}) as mesh,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session,
    ):
        yield Doors(mesh, session, seen)


CALLED = {"role": "tool", "tool_call_id": "t", "content": [TEXT] * 4097}
PAGE: Mapping[str, Any] = {"llm_mesh": {"prompt": {}}}
OF_OPENAI: Mapping[str, tuple[Mapping[str, Any], str]] = {
    **OPENAI,
    "messages": ({"messages": said(TEXT) * 4097}, "messages"),
    "parts": ({"messages": said(*[TEXT] * 4097)}, "messages[0].content"),
    "parts-in-all": ({"messages": said(*[TEXT] * 4000) * 5}, "messages"),
    "no-parts": ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    "result-parts": ({"messages": [CALLED]}, "messages[0].content"),
    "biases": ({"logit_bias": {str(each): 1 for each in range(1025)}}, "logit_bias"),
    "tag-count": ({"llm_mesh": {"tags": {f"a{each}": "b" for each in range(17)}}}, "llm_mesh.tags"),
    "tag-value": ({"llm_mesh": {"tags": {"a": LONG}}}, "llm_mesh.tags.a"),
    "session": ({"llm_mesh": {"session": LONG}}, "llm_mesh.session"),
    "session-type": ({"llm_mesh": {"session": 1}}, "llm_mesh.session"),
    "mesh-type": ({"llm_mesh": 1}, "llm_mesh"),
    "mesh-key": ({"llm_mesh": {"odd": 1}}, "llm_mesh.odd"),
    "fidelity": ({"llm_mesh": {"fidelity": "some"}}, "llm_mesh.fidelity"),
    "prompt-name": (PAGE, "llm_mesh.prompt.name"),
    "prompt-key": ({"llm_mesh": {"prompt": {"odd": 1}}}, "llm_mesh.prompt.odd"),
    "project": ({"llm_mesh": {"project": "\u00e9"}}, "x-llm-mesh-project"),
    "no-tool-name": ({"tools": [function(name="")]}, "tools[0].function.name"),
}
OF_EMBEDDINGS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "items": ({"input": ["x"] * 2049}, "input"),
    "no-items": ({"input": []}, "input"),
    "empty-tokens": ({"input": [[]]}, "input"),
    "dimensions": ({"dimensions": -1}, "dimensions"),
    "user": ({"user": LONG}, "user"),
    "model": ({"model": "a b"}, "model"),
    "prompt": ({"llm_mesh": {"prompt": {"name": "brief"}}}, "llm_mesh.prompt"),
}
OF_HEADERS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "key": ({"idempotency-key": LONG}, "Idempotency-Key"),
    "session": ({"x-llm-mesh-session": LONG}, "x-llm-mesh-session"),
    "tags": ({"x-llm-mesh-tags": "a"}, "x-llm-mesh-tags"),
    "tag-key": ({"x-llm-mesh-tags": "A=b"}, "x-llm-mesh-tags"),
    "tag-value": ({"x-llm-mesh-tags": f"a={LONG}"}, "x-llm-mesh-tags"),
    "fidelity": ({"x-llm-mesh-fidelity": "some"}, "x-llm-mesh-fidelity"),
    "encoding": ({"content-encoding": "br"}, "content-encoding"),
}


def typed(**changed: Any) -> gateway_pb2.GenerateRequest:
    part = content_pb2.Part(text=content_pb2.Text(text="hi"))
    given = {"model": "plain", "messages": [content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])], **changed}
    return gateway_pb2.GenerateRequest(input=generate_pb2.GenerateInput(**given))


def holding(part: content_pb2.Part, role: content_pb2.Role = content_pb2.ROLE_USER) -> gateway_pb2.GenerateRequest:
    return typed(messages=[content_pb2.Message(role=role, parts=[part])])


def nested(depth: int) -> content_pb2.Part:
    part = content_pb2.Part(text=content_pb2.Text(text="x"))
    for _ in range(depth):
        part = content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id="t", parts=[part]))
    return part


def embedding(**changed: Any) -> gateway_pb2.EmbedRequest:
    item = embed_pb2.EmbedItem(text="hi")
    return gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(**{"model": "plain", "items": [item], **changed}))


def json_deep() -> bytes:
    return b'{"a":' * 120 + b"1" + b"}" * 120


USER, ASSISTANT = content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT
NAMED = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED)
OVER_GRPC: Mapping[str, Callable[[], Any]] = {
    "role": lambda: typed(messages=[content_pb2.Message()]),
    "no-parts": lambda: typed(messages=[content_pb2.Message(role=USER)]),
    "part": lambda: holding(content_pb2.Part()),
    "media": lambda: holding(content_pb2.Part(image=content_pb2.Media())),
    "media-type": lambda: holding(content_pb2.Part(image=content_pb2.Media(data=b"x"))),
    "uri": lambda: holding(content_pb2.Part(image=content_pb2.Media(uri=""))),
    "result": lambda: holding(content_pb2.Part(tool_result=content_pb2.ToolResult()), content_pb2.ROLE_TOOL),
    "nesting": lambda: holding(nested(6), content_pb2.ROLE_TOOL),
    "call": lambda: holding(content_pb2.Part(tool_call=content_pb2.ToolCall()), ASSISTANT),
    "tool": lambda: typed(tools=[content_pb2.Tool()]),
    "choice": lambda: typed(tool_choice=NAMED),
    "candidates": lambda: typed(candidate_count=-1),
    "output": lambda: typed(max_output_tokens=-1),
    "schema": lambda: typed(response_format=content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="s"))),
    "effort": lambda: typed(reasoning=generate_pb2.ReasoningOptions(effort="frantic")),
    "thought": lambda: typed(reasoning=generate_pb2.ReasoningOptions(budget_tokens=-1)),
    "bias": lambda: typed(sampling=generate_pb2.Sampling(logit_bias={"1": 101})),
    "zero": lambda: typed(sampling=generate_pb2.Sampling(top_p=0)),
    "extra": lambda: typed(extras=[content_pb2.Extra()]),
    "no-text": lambda: typed(extras=[content_pb2.Extra(dialect="openai", key="k", json=b"\xff")]),
    "deep": lambda: typed(extras=[content_pb2.Extra(dialect="openai", key="k", json=json_deep())]),
    "tools": lambda: typed(tools=[content_pb2.Tool(function=content_pb2.FunctionTool(name="f"))] * 257),
    "tool-name": lambda: typed(tools=[content_pb2.Tool(function=content_pb2.FunctionTool(name="a b"))]),
    "logprobs": lambda: typed(logprobs=generate_pb2.LogprobOptions(top=21)),
    "messages": lambda: typed(messages=list(typed().input.messages) * 4097),
    "parts-in-all": lambda: typed(messages=[content_pb2.Message(role=USER, parts=[nested(0)] * 4000)] * 5),
    "parts": lambda: typed(messages=[content_pb2.Message(role=USER, parts=[nested(0)] * 4097)]),
    "name": lambda: typed(messages=[content_pb2.Message(role=USER, parts=[nested(0)], name=LONG)]),
    "stops": lambda: typed(stop=["x"] * 17),
    "stop": lambda: typed(stop=[LONG]),
    "end-user": lambda: typed(end_user=LONG),
    "biases": lambda: typed(sampling=generate_pb2.Sampling(logit_bias={str(each): 1 for each in range(1025)})),
    "items": lambda: embedding(items=[embed_pb2.EmbedItem(text="x")] * 2049),
    "item": lambda: embedding(items=[embed_pb2.EmbedItem()]),
    "tokens": lambda: embedding(items=[embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds())]),
    "dimensions": lambda: embedding(dimensions=-1),
    "user": lambda: embedding(end_user=LONG),
    "prompt": lambda: gateway_pb2.GenerateRequest(
        input=typed().input, options=gateway_pb2.RequestOptions(prompt=gateway_pb2.PromptReference())
    ),
}
"""By what is wrong. A field of the typed request is named by its path in it, whichever layer finds it."""
ODD_HEADERS = (b"x-llm-mesh-session: a\r\nx-llm-mesh-session: b", b"x-llm-mesh-session: \xff")
"""Which no client library writes."""
TAGS: Mapping[str, Mapping[str, str]] = {"many": {f"a{each}": "b" for each in range(17)}, "key": {"A": "b"}, "value": {"a": LONG}}


def exists(descriptor: Any, path: str) -> bool:
    """Whether a path leads to a field of a message; what stands in brackets is an item, or a key."""
    names = re.sub(r"\[[^\]]*\]", "", path).split(".")
    for place, name in enumerate(names):
        inner = descriptor.fields_by_name.get(name)
        if inner is None:
            return False
        descriptor = inner.message_type
        if descriptor is None or descriptor.GetOptions().map_entry:
            return len(names) - place <= 2
    return True


COUNTED = re.compile(r"\b(?:\d+|list of) parts\b")
"""Prose that every client understands, and no path."""


async def over_http(doors: Doors) -> list[object]:
    """What a client of a dialect reads as it did not write it."""
    wrong: list[object] = []
    for path, cases in ((CHAT, OF_OPENAI), (MESSAGES, ANTHROPIC), (EMBEDDINGS, OF_EMBEDDINGS)):
        for name, (changed, place) in cases.items():
            error = await doors.http(path, changed)
            told = f"{error.get('param')} {error['message']}"
            if not str(error.get("param")).startswith(place) or OURS.search(COUNTED.sub("", told)):
                wrong.append((path, name, error))
    for name, (sent, place) in OF_HEADERS.items():
        error = await doors.http(CHAT, {}, **sent)
        if str(error.get("param")) != place:
            wrong.append((name, error))
    for header in ODD_HEADERS:
        answer = await doors.raw(header)
        if b" 400 " not in answer.split(b"\r\n")[0] or b'"x-llm-mesh-session"' not in answer:
            wrong.append((header, answer))
    return wrong


async def over_grpc(doors: Doors) -> list[object]:
    """The same of a client of the gateway."""
    wrong: list[object] = []
    for name, make in OVER_GRPC.items():
        request = make()
        failure = await doors.typed(request)
        if failure.reason_name != "INVALID_FIELD" or not exists(request.DESCRIPTOR, failure.field):
            wrong.append((name, str(failure), failure.field))
    return wrong


async def test_every_check_fails_once_and_names_the_field_as_its_client_does(doors: Doors) -> None:
    wrong = await over_http(doors) + await over_grpc(doors)
    assert not wrong, "\n".join(map(str, wrong))
    missed = set(ALL.values()) - doors.seen.names
    assert not missed, sorted(missed)


def test_the_checks_are_found_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) > 10
    assert len(set(ALL.values())) == len(ALL)
