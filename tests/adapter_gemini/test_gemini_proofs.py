"""Thought signatures: back at the same part over two turns, left out with a note where a conversation moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.conversions import Collector
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.gemini.quirks import of_model
from llm_mesh_dialects.gemini.requests import input_to_body
from llm_mesh_dialects.gemini.responses import body_to_output
from llm_mesh_dialects.proofs import ProofOrigin
from tests.adapter_gemini.conftest import VERTEX, Adapted, attempt, calls_in, result_of, saying, says, tool

MODEL = "sim-tools"
TURN = "get_weather and get_time please"
ORIGIN = ProofOrigin("gemini", b"a key", "here")
USER, MODEL_ROLE, TOOL = content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_TOOL


async def asked(adapter: Adapted, *, streamed: bool) -> content_pb2.Message:
    """What the model says to the first question."""
    request = saying(TURN, tools=[tool(), tool("get_time")])
    if not streamed:
        return (await adapter.generate(request, attempt(MODEL))).output.choices[0].message
    output = generate_pb2.GenerateOutput()
    Collector(output).collect((await adapter.stream(request, attempt(MODEL)))[0])
    return output.choices[0].message


def second(first: content_pb2.Message) -> generate_pb2.GenerateInput:
    """The next request of the conversation, with what the tools answered."""
    results = says(TOOL, *(result_of(call, f"It is {call.name}.") for call in calls_in(first)))
    request = saying(TURN, tools=[tool(), tool("get_time")])
    request.messages.extend([first, results])
    return request


def signatures(body: dict[str, Any]) -> list[str | None]:
    return [part.get("thoughtSignature") for content in body["contents"] if content["role"] == "model" for part in content["parts"]]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_conversation_of_two_turns_returns_each_proof_at_its_part(adapter: Adapted, *, streamed: bool) -> None:
    """The simulator refuses a call without its signature, and a signature that is not of this model and call."""
    first = await asked(adapter, streamed=streamed)
    answer = await adapter.generate(second(first), attempt(MODEL), exact=True)
    assert answer.output.choices[0].message.parts[0].text.text
    body = (await adapter.sent())["body"]
    proof, none = signatures(body)
    assert proof
    assert proof in first.parts[0].reasoning.signature
    assert none is None
    assert [part["functionResponse"]["name"] for part in body["contents"][2]["parts"]] == ["get_weather", "get_time"]
    assert all("id" not in part["functionResponse"] for part in body["contents"][2]["parts"]), "ids that the mesh made stay here"


@pytest.mark.parametrize("moved", [{"endpoint": VERTEX}, {"upstream_model": "sim-echo"}])
async def test_elsewhere_the_proof_is_left_out_with_a_note_and_the_placeholder_stands_in(adapter: Adapted, moved: dict[str, str]) -> None:
    first = await asked(adapter, streamed=False)
    made = attempt(MODEL)
    for name, value in moved.items():
        setattr(made, name, value)
    answer = await adapter.generate(second(first), made)
    assert answer.output.choices[0].message.parts[0].text.text, "the provider takes it"
    assert signatures((await adapter.sent())["body"]) == ["skip_thought_signature_validator", None]
    notes = {each.field: each.note for each in answer.output.translations}
    assert "another model, key or route" in notes["messages[1].parts[0].reasoning.signature"]
    assert "get_weather" in notes["messages"]


async def test_another_domain_cannot_show_the_proof_of_this_one(adapter: Adapted) -> None:
    """Neither as it came, nor behind the mark of a proof of its own."""
    first = await asked(adapter, streamed=False)
    stolen = first.parts[0].reasoning.signature
    other = (await adapter.generate(saying("get_time please", tools=[tool("get_time")]), attempt(MODEL), domain="domains/others")).output
    mark = other.choices[0].message.parts[0].reasoning.signature[: len("gemini:") + 32]
    earlier = f"gemini:{'0' * 12}:"
    place_and_proof = stolen.split(":", 2)[2]
    for signature in (stolen, f"{mark}:{place_and_proof}", earlier + place_and_proof):
        first.parts[0].reasoning.signature = signature
        await adapter.generate(second(first), attempt(MODEL), domain="domains/others")
        assert signatures((await adapter.sent())["body"]) == ["skip_thought_signature_validator", None]
    first.parts[0].reasoning.signature = stolen
    await adapter.generate(second(first), attempt(MODEL), exact=True)


async def test_calls_of_another_dialect_get_the_placeholder_too(adapter: Adapted) -> None:
    call = content_pb2.ToolCall(id="toolu_1", name="get_weather", arguments_json='{"city":"Bonn","days":1}')
    thought = content_pb2.Part(reasoning=content_pb2.Reasoning(text="Hm.", signature="EqQBCkgIBxABGAIiQL"))
    answer = await adapter.generate(second(says(MODEL_ROLE, thought, content_pb2.Part(tool_call=call))), attempt(MODEL))
    body = (await adapter.sent())["body"]
    assert signatures(body) == ["skip_thought_signature_validator"]
    assert body["contents"][2]["parts"][0]["functionResponse"] == {
        "name": "get_weather",
        "id": "toolu_1",
        "response": {"output": "It is get_weather."},
    }
    assert {each.field for each in answer.output.translations} >= {"messages[1].parts[0].reasoning.signature", "messages"}


def test_an_older_model_wants_no_placeholder() -> None:
    call = content_pb2.Part(tool_call=content_pb2.ToolCall(id="1", name="f", arguments_json="{}"))
    request = second(says(MODEL_ROLE, call))
    assert signatures(input_to_body(request, of_model("gemini-2.5-flash")).body) == [None]
    assert signatures(input_to_body(request, of_model("gemini-3-flash-preview")).body) == ["skip_thought_signature_validator"]


PARTS: list[dict[str, Any]] = [
    {"text": "Hm.", "thought": True},
    {"text": "Let me see", "thoughtSignature": "sig-text"},
    {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "sig-1"},
    {"functionCall": {"id": "c2", "name": "f", "args": {"a": 2}}},
    {"functionCall": {"id": "c3", "name": "f", "args": {"a": 3}}, "thoughtSignature": "sig-3"},
]


def marked(message: content_pb2.Message, origin: ProofOrigin = ORIGIN) -> content_pb2.Message:
    for part in message.parts:
        if part.reasoning.signature:
            part.reasoning.signature = origin.marked(part.reasoning.signature)
    return message


def answer_of(parts: list[dict[str, Any]]) -> content_pb2.Message:
    body = {"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}], "responseId": "r"}
    return marked(body_to_output(body).choices[0].message)


def test_every_part_comes_back_as_it_was() -> None:
    request = saying()
    request.messages.append(answer_of(PARTS))
    written = input_to_body(request, of_model("gemini-3-pro-preview"), origin=ORIGIN)
    assert written.body["contents"][1]["parts"] == PARTS
    assert not written.translations


@pytest.mark.parametrize("part", [{"text": "", "thoughtSignature": "s"}, {"text": "T", "thought": True, "thoughtSignature": "s"}])
def test_a_proof_at_a_part_of_its_own_comes_back_too(part: dict[str, Any]) -> None:
    request = saying()
    request.messages.append(answer_of([part]))
    assert input_to_body(request, of_model("gemini-3-pro-preview"), origin=ORIGIN).body["contents"][1]["parts"] == [part]


def test_a_client_of_openais_dialect_carries_the_proof_at_the_call() -> None:
    output = body_to_output({"candidates": [{"content": {"parts": PARTS, "role": "model"}}], "responseId": "r"})
    marked(output.choices[0].message)
    whole = openai.responses.output_to_chat(output)["choices"][0]["message"]
    assert [("extra_content" in call) for call in whole["tool_calls"]] == [True, False, True]
    sent = {"role": "assistant", "content": whole["content"], "tool_calls": whole["tool_calls"]}
    back = openai.requests.chat_to_input({"model": "m", "messages": [{"role": "user", "content": "x"}, sent]})
    body = input_to_body(back, of_model("gemini-3-pro-preview"), origin=ORIGIN).body
    assert [part.get("thoughtSignature") for part in body["contents"][1]["parts"]] == [None, "sig-1", None, "sig-3"]
    elsewhere, translations = openai.requests.input_to_chat(back, openai.OpenAIQuirks(), model="m", stream=False)
    assert "sig-1" not in json.dumps(elsewhere)
    assert any("reasoning" in each.field for each in translations)


def test_a_client_of_anthropics_dialect_carries_the_proof_in_its_thinking() -> None:
    output = body_to_output({"candidates": [{"content": {"parts": PARTS, "role": "model"}}], "responseId": "r"})
    marked(output.choices[0].message)
    content = anthropic.responses.output_to_message(output)["content"]
    results = [{"type": "tool_result", "tool_use_id": f"c{number}", "content": "ok"} for number in (1, 2, 3)]
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": content}, {"role": "user", "content": results}]
    back = anthropic.requests.messages_to_input({"model": "m", "max_tokens": 9, "messages": turns})
    body = input_to_body(back, of_model("gemini-3-pro-preview"), origin=ORIGIN).body
    assert body["contents"][1]["parts"] == PARTS
    elsewhere, translations = anthropic.requests.input_to_messages(
        back, anthropic.quirks.of_model("claude-sonnet-4-6"), model="m", stream=False
    )
    assert "sig-" not in json.dumps(elsewhere)
    assert any(each.note == "a proof of another dialect" for each in translations)


def test_streams_to_openais_clients_carry_the_proof_at_the_call() -> None:
    writer = openai.streams.ChunkWriter(include_usage=False)
    events = [
        generate_pb2.StreamEvent(started=generate_pb2.Started(id="r", model="m")),
        generate_pb2.StreamEvent(reasoning=generate_pb2.ReasoningDelta(signature=ORIGIN.marked("n:sig-1"))),
        generate_pb2.StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c1", name="f")),
        generate_pb2.StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(index=1, id="c2", name="f")),
    ]
    written = b"".join(writer.write(event) for event in events).decode()
    assert written.count("thought_signature") == 1
    assert written.index("thought_signature") < written.index('"c2"')
