"""Whole answers of the dialect, as typed ones."""

from __future__ import annotations

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.ollama.answers import created, logprobs, message_of, unmodelled
from llm_mesh_dialects.ollama.usage import read_usage
from llm_mesh_dialects.ollama.vocabulary import DIALECT, finish_of


def chat_into_output(output: generate_pb2.GenerateOutput, body: object) -> None:
    """Writes a whole answer. Keys that are not modelled become extras."""
    answer = Fields(body)
    answer.required("message")
    output.model, output.created = answer.text("model") or "", created(answer)
    message = message_of(answer)
    choice = output.choices.add()
    choice.message.role = content_pb2.ROLE_ASSISTANT
    if message.thinking:
        choice.message.parts.add().reasoning.text = message.thinking
    if message.text or not message.calls:
        choice.message.parts.add().text.text = message.text
    for call in message.calls:
        choice.message.parts.add(tool_call=content_pb2.ToolCall(id=call.id, name=call.name, arguments_json=call.arguments))
    choice.native_finish_reason = answer.text("done_reason") or ""
    choice.finish_reason = finish_of(choice.native_finish_reason or "stop", calls=bool(message.calls))
    choice.logprobs.extend(logprobs(answer))
    keep(choice.message, DIALECT, message.rest)
    usage = read_usage(answer.whole_object())
    if usage is not None:
        output.usage.CopyFrom(usage)
    keep(output, DIALECT, unmodelled(answer))
