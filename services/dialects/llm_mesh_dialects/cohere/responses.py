"""Whole answers of the dialect, as typed ones."""

from __future__ import annotations

from collections.abc import Iterator

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.cohere.answers import logprob
from llm_mesh_dialects.cohere.usage import read_usage
from llm_mesh_dialects.cohere.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.extras import dumped, keep
from llm_mesh_dialects.fields import Fields


def chat_into_output(output: generate_pb2.GenerateOutput, body: object) -> None:
    """Writes a whole answer. Keys that are not modelled become extras."""
    answer = Fields(body)
    message = answer.required("message")
    output.id = answer.text("id") or ""
    word = answer.text("finish_reason") or ""
    choice = output.choices.add(finish_reason=finish_of(word), native_finish_reason=word)
    choice.message.role = content_pb2.ROLE_ASSISTANT
    choice.message.parts.extend(_parts(message))
    _cite(message, choice.message)
    choice.logprobs.extend(logprob(each) for each in answer.each("logprobs"))
    message.text("role")
    keep(choice.message, DIALECT, message.rest())
    usage = read_usage(answer.raw("usage"))
    if usage is not None:
        output.usage.CopyFrom(usage)
    keep(output, DIALECT, answer.rest())


def _parts(message: Fields) -> Iterator[content_pb2.Part]:
    """What was thought, the plan of the calls, the text, the calls."""
    contents = list(message.each("content"))
    for each in contents:
        if each.peek("type") == "thinking":
            yield content_pb2.Part(reasoning=content_pb2.Reasoning(text=each.text("thinking") or ""))
    if plan := message.text("tool_plan"):
        yield content_pb2.Part(text=content_pb2.Text(text=plan))
    for each in contents:
        kind = each.required_text("type")
        if kind == "text":
            yield content_pb2.Part(text=content_pb2.Text(text=each.text("text") or ""))
        elif kind != "thinking":
            opaque = content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(each.whole_object()))
            yield content_pb2.Part(opaque=opaque)
    for call in message.each("tool_calls"):
        function = call.required("function")
        name, arguments = function.required_text("name"), function.text("arguments") or ""
        yield content_pb2.Part(tool_call=content_pb2.ToolCall(id=call.required_text("id"), name=name, arguments_json=arguments))


def _cite(message: Fields, target: content_pb2.Message) -> None:
    """Citations belong to the text; where there is none, they stay keys of the message."""
    text = next((part.text for part in target.parts if part.WhichOneof("kind") == "text"), None)
    if text is not None:
        text.annotations.extend(
            content_pb2.Extra(dialect=DIALECT, key="citation", json=dumped(each)) for each in message.items("citations")
        )
