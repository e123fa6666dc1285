"""Every method is screened, both ways: no text of its input brings a secret to a provider, and no text of its answer brings one out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_mesh.gateway.v1 import gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from tests.proofs.attacks.listening import Listener, listening
from tests.proofs.methods import METHODS, ProvenMethod, method_model
from tests.proofs.refusals import refusal
from tests.proofs.stand import Stand, provider, stand

CARD = "4111 1111 1111 1111"
_DIGITS = re.compile(rb"4111[^0-9a-zA-Z]*1111[^0-9a-zA-Z]*1111[^0-9a-zA-Z]*1111")
EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
UNREADABLE = {"GenerateImage"}
"""Methods whose answers cannot be read, so that they are refused where answers are screened."""


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[dict[str, Stand]]:
    """One that screens requests alone, and one that screens answers, too."""
    with ExitStack() as stack:
        made: dict[str, Stand] = {}
        for name, answers in (("requests", "false"), ("answers", "true")):
            folder: Path = tmp_path_factory.mktemp(f"screened-{name}")
            settings = {
                "LLM_MESH_POLICY_SCREENING": "credit_card=mask",
                "LLM_MESH_POLICY_SCREEN_OUTPUT": answers,
                "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LISTENER": json.dumps({"base_url": f"http://{listener.address}/v1", "local": True}),
            }
            made[name] = stack.enter_context(stand(folder, stack.enter_context(provider(folder)), settings))
            models = [method_model(method, alias(method), f"m-{method.operation}", endpoint="listener") for method in METHODS.values()]
            made[name].put_models(models)
        yield made


def texts_of(message: Message, path: str = "") -> Iterator[tuple[str, Callable[[str], None]]]:
    """Each text that a message has or may have, with what changes it. Of alternatives only the one that is there."""
    for field in message.DESCRIPTOR.fields:
        place = f"{path}.{field.name}" if path else field.name
        if field.containing_oneof is not None and message.WhichOneof(field.containing_oneof.name) != field.name:
            continue
        value = getattr(message, field.name)
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            inner = enumerate(value) if field.is_repeated else [(None, value)] if message.HasField(field.name) else []
            for index, each in inner:
                yield from texts_of(each, place if index is None else f"{place}[{index}]")
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING and field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            yield place, lambda text, name=field.name: setattr(message, name, text)  # type: ignore[misc]
        elif field.is_repeated and field.type == FieldDescriptor.TYPE_STRING:
            for index in range(len(value)):
                yield f"{place}[{index}]", lambda text, values=value, index=index: values.__setitem__(index, text)  # type: ignore[misc]


def alias(method: ProvenMethod) -> str:
    return f"{method.operation.replace('_', '-')}-heard"


def ask(mesh: Stand, method: ProvenMethod, request: Any) -> tuple[Any, str]:
    """The answer, or the reason why there is none."""
    try:
        return getattr(gateway_pb2_grpc.GatewayServiceStub(mesh.channel), method.rpc)(request, metadata=mesh.user, timeout=30), ""
    except grpc.RpcError as error:
        return None, refusal(error).reason


def heard(method: ProvenMethod) -> Any:
    """A request to the provider that remembers, with an extra where a provider might read one."""
    made = method.request(alias(method))
    made.input.extras.add(dialect="openai", key="truncation", json=b'"none"')
    return made


@EVERY
def test_no_text_of_an_input_brings_a_card_to_the_provider(meshes: dict[str, Stand], listener: Listener, method: ProvenMethod) -> None:
    listener.answer = lambda _: answer_of(method, "clean")
    places = [place for place, _ in texts_of(heard(method).input)]
    arrived = 0
    for place in places:
        request = heard(method)
        dict(texts_of(request.input))[place](f"pay with {CARD} today")
        before = len(listener.bodies)
        answer, reason = ask(meshes["requests"], method, request)
        assert answer is not None or reason, place
        for raw in listener.bodies[before:]:
            arrived += 1
            assert _DIGITS.search(raw) is None, f"{place}: {raw[:2000]!r}"
    assert arrived, "some of them are passed on, masked"


@EVERY
def test_no_text_of_an_answer_brings_a_card_to_the_caller(meshes: dict[str, Stand], listener: Listener, method: ProvenMethod) -> None:
    listener.answer = lambda _: answer_of(method, f"pay with {CARD} today")
    answer, reason = ask(meshes["answers"], method, heard(method))
    assert reason == ("SCREENING_FAILED" if method.rpc in UNREADABLE else "")
    if reason:
        return
    assert _DIGITS.search(answer.output.SerializeToString()) is None, answer.output
    if method.rpc == "Transcribe":
        assert answer.output.text.startswith("pay with ")
        assert answer.receipt.screened


def answer_of(method: ProvenMethod, said: str) -> dict[str, Any] | bytes:
    """An answer of the provider that says something wherever it has a text."""
    if method.rpc == "Speak":
        return METHODS["Transcribe"].input("", 1).sound.data  # type: ignore[no-any-return]
    usage = {"prompt_tokens": 5, "total_tokens": 5, "input_tokens": 5, "output_tokens": 1}
    head = {"id": "1", "model": "m", "created": 1, "usage": usage, "note": said}
    answers: dict[str, dict[str, Any]] = {
        "Rerank": {"results": [{"index": 0, "relevance_score": 0.5, "document": {"text": said}}, {"index": 1, "relevance_score": 0.4}]},
        "Moderate": {"results": [{"flagged": True, "categories": {said: True}, "category_scores": {said: 0.9}, "explanation": said}]},
        "Assess": {"answers": [{"type": "refusal", "refusal": said, "why": said}] * 3},
        "GenerateImage": {"data": [{"b64_json": "aGk=", "revised_prompt": said}]},
        "Transcribe": {"text": said, "language": said, "duration": 1.0, "segments": [{"start": 0.0, "end": 1.0, "text": said}]},
    }
    return head | answers[method.rpc]


def test_texts_are_found_in_every_input() -> None:
    assert {place for place, _ in texts_of(METHODS["Rerank"].input("a", 1))} >= {"query", "documents[0].text", "documents[1].text"}
    assert {place for place, _ in texts_of(content_pb2.Message(parts=[content_pb2.Part(text=content_pb2.Text(text="x"))]))} >= {
        "parts[0].text.text"
    }
