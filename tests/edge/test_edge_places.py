"""The place of a part, followed into the client's body, leads to what the reader made the part of."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic import requests as anthropic
from llm_mesh_dialects.gemini import requests as google
from llm_mesh_dialects.openai import requests as openai
from llm_mesh_edge.http.anthropic.places import place as place_of_anthropic
from llm_mesh_edge.http.google.places import place as place_of_google
from llm_mesh_edge.http.openai.places import place as place_of_openai

STEP = re.compile(r"([A-Za-z_]+)|\[(\d+)\]")


def at(body: Any, path: str) -> Any:
    """What stands there."""
    for name, index in STEP.findall(path):
        body = body[name] if name else body[int(index)]
    return body


def texts(read: generate_pb2.GenerateInput) -> list[tuple[str, str]]:
    """Each text of the typed request, with its typed field."""
    found = []
    for number, message in enumerate(read.messages):
        for place, part in enumerate(message.parts):
            field = f"input.messages[{number}].parts[{place}]"
            if part.WhichOneof("kind") == "text":
                found.append((f"{field}.text.text", part.text.text))
            inner = part.tool_result.parts if part.WhichOneof("kind") == "tool_result" else []
            found += [(f"{field}.tool_result.parts[{n}].text.text", each.text.text) for n, each in enumerate(inner)]
    return found


class Body:
    """Draws bodies, of which no two texts are alike."""

    def __init__(self, draw: Any) -> None:
        self.draw, self.count = draw, 0

    def text(self) -> str:
        self.count += 1
        return f"text {self.count}"

    def block(self) -> dict[str, Any]:
        return {"type": "text", "text": self.text()}

    def content(self, *, results: bool = False) -> Any:
        if self.draw(st.booleans()):
            return self.text()
        kinds = self.draw(st.lists(st.booleans() if results else st.just(False), min_size=1, max_size=5))
        return [self.result() if kind else self.block() for kind in kinds]

    def result(self) -> dict[str, Any]:
        return {"type": "tool_result", "tool_use_id": "t", "content": self.content()}


@st.composite
def of_anthropic(draw: Any) -> dict[str, Any]:
    body = Body(draw)
    given: dict[str, Any] = {"model": "m", "max_tokens": 1}
    if draw(st.booleans()):
        given["system"] = body.content()
    roles = draw(st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=5))
    given["messages"] = [{"role": role, "content": body.content(results=role == "user")} for role in roles]
    return given


@st.composite
def of_openai(draw: Any) -> dict[str, Any]:
    body = Body(draw)
    roles = draw(st.lists(st.sampled_from(["system", "user", "assistant", "tool"]), min_size=1, max_size=5))
    messages = [{"role": role, "content": body.content()} | ({"tool_call_id": "t"} if role == "tool" else {}) for role in roles]
    return {"model": "m", "messages": messages}


@given(of_anthropic())
def test_places_of_anthropic_lead_back(body: dict[str, Any]) -> None:
    for field, text in texts(anthropic.messages_to_input(body)):
        assert at(body, place_of_anthropic(field, body)) == text


@given(of_openai())
def test_places_of_openai_lead_back(body: dict[str, Any]) -> None:
    for field, text in texts(openai.chat_to_input(body)):
        assert at(body, place_of_openai(field, body)) == text


@st.composite
def of_google(draw: Any) -> dict[str, Any]:
    body = Body(draw)
    proof, calls = {"thoughtSignature": "c2FtcGxl"}, iter(range(1000))

    def part(kind: str) -> dict[str, Any]:
        if kind == "call":
            return {"functionCall": {"name": f"f{next(calls)}"}}
        return {"text": body.text()} | (
            proof if kind == "proved" else {"thought": True} if kind == "thought" else {"partMetadata": {"k": 1}}
        )

    kinds = st.lists(st.sampled_from(["text", "proved", "thought", "call"]), min_size=1, max_size=4)
    given: dict[str, Any] = {"contents": []}
    if draw(st.booleans()):
        given["system_instruction" if draw(st.booleans()) else "systemInstruction"] = {"parts": [part("text")]}
    for role in draw(st.lists(st.sampled_from(["user", "model"]), min_size=1, max_size=4)):
        given["contents"].append({"role": role, "parts": [part(kind) for kind in draw(kinds)]})
    return given


@given(of_google())
def test_places_of_google_lead_back(body: dict[str, Any]) -> None:
    typed = generate_pb2.GenerateInput()
    google.body_into_input(typed, body, model="m")
    found = texts(typed)
    assert len(found) == sum("text" in part and "thought" not in part for each in every_content(body) for part in each["parts"])
    for field, text in found:
        assert at(body, place_of_google(field, body)) == text


def every_content(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(body[key] for key in body if key != "contents"), *body["contents"]]


@pytest.mark.parametrize("place", [place_of_anthropic, place_of_openai, place_of_google])
@pytest.mark.parametrize("body", [{}, {"messages": 1}, {"messages": [1]}, {"messages": [{"role": "user", "content": None}]}], ids=str)
def test_a_body_without_such_a_place_is_no_fault(place: Any, body: dict[str, Any]) -> None:
    assert isinstance(place("input.messages[7].parts[3].text", body), str)
    assert isinstance(place("input.messages[0].parts[3].image", body), str)
