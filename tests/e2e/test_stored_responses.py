"""Responses are stored, continued, read again and erased by the generated stubs, in every topology."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.conversations.v1 import (
    conversations_pb2,
    conversations_pb2_grpc,
    responses_pb2,
    responses_pb2_grpc,
    retention_pb2,
    retention_pb2_grpc,
)
from llm_mesh.inference.v1 import content_pb2
from tests.e2e.running import RunningMesh

PROJECT = "domains/default/projects/default"
SECONDS = 60


_NAMED = (("grpc.ssl_target_name_override", "gateway.llm-mesh"),)


@pytest.fixture
def channel(mesh: RunningMesh) -> Iterator[Any]:
    """To the public gRPC listener."""
    trusted = grpc.ssl_channel_credentials(Path(mesh.authority).read_bytes()) if mesh.authority else None
    with grpc.secure_channel(mesh.grpc, trusted, _NAMED) if trusted else grpc.insecure_channel(mesh.grpc) as opened:
        yield opened


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def message(text: str) -> content_pb2.Message:
    return content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


def created(channel: Any, key: str, text: str, **fields: Any) -> list[responses_pb2.CreateResponseResponse]:
    """All messages of a response."""
    request = responses_pb2.CreateResponseRequest(**fields)
    request.input.model = "sim-echo"
    request.input.messages.append(message(text))
    stub: Any = responses_pb2_grpc.ResponseServiceStub(channel)
    return list(stub.CreateResponse(request, metadata=bearer(key), timeout=SECONDS))


def text_of(messages: list[Any]) -> str:
    return "".join(event.text.text for each in messages for event in each.events)


def test_responses_are_stored_continued_resumed_and_erased(mesh: RunningMesh, channel: Any) -> None:
    key, stub = mesh.project_key, responses_pb2_grpc.ResponseServiceStub(channel)
    reading: Any = stub
    first = created(channel, key, "one")
    assert text_of(first) == "one"
    assert first[-1].receipt.reservation
    second = created(channel, key, "two", previous_response=first[0].response.id)
    listed = reading.ListInputItems(
        responses_pb2.ListInputItemsRequest(response=second[0].response.id), metadata=bearer(key), timeout=SECONDS
    )
    assert [item.message.parts[0].text.text for item in listed.items] == ["two", "one", "one"]
    background = created(channel, key, "three", background=True)
    request = responses_pb2.ResumeResponseRequest(id=background[0].response.id)
    resumed = list(reading.ResumeResponse(request, metadata=bearer(key), timeout=SECONDS))
    assert text_of(resumed) == text_of(background) == "three"
    assert resumed[-1].response.status == responses_pb2.RESPONSE_STATUS_COMPLETED
    conversations: Any = conversations_pb2_grpc.ConversationServiceStub(channel)
    conversation = conversations.CreateConversation(
        conversations_pb2.CreateConversationRequest(items=[message("zero")], end_user="eve"), metadata=bearer(key), timeout=SECONDS
    ).conversation.id
    created(channel, key, "four", conversation=conversation)
    items = conversations.ListItems(
        conversations_pb2.ListItemsRequest(conversation=conversation), metadata=bearer(key), timeout=SECONDS
    ).items
    assert [item.message.parts[0].text.text for item in items] == ["four", "four", "zero"]
    retention: Any = retention_pb2_grpc.RetentionServiceStub(channel)
    erased = retention.EraseContent(
        retention_pb2.EraseContentRequest(project=PROJECT, end_user="eve"), metadata=bearer(mesh.admin_key), timeout=SECONDS
    )
    assert (erased.responses, erased.conversations) == (0, 1)
    with pytest.raises(grpc.RpcError) as failure:
        conversations.GetConversation(conversations_pb2.GetConversationRequest(id=conversation), metadata=bearer(key), timeout=SECONDS)
    gone: Any = failure.value
    assert gone.code() is grpc.StatusCode.NOT_FOUND
    assert reading.GetResponse(responses_pb2.GetResponseRequest(id=first[0].response.id), metadata=bearer(key), timeout=SECONDS)
