"""From the typed payload to a client's answer to `POST /chat/completions`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import parsed, put_back
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.logprobs import write_logprobs
from llm_mesh_dialects.openai.proofs import of_next_call, put_proof
from llm_mesh_dialects.openai.usage import write_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT, finish_word


def output_to_chat(output: generate_pb2.GenerateOutput, *, id: str = "", model: str = "") -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """The body. `id` and `model` replace what the provider said."""
    body: dict[str, Any] = {
        "id": id or output.id,
        "object": "chat.completion",
        "created": output.created,
        "model": model or output.model,
        "choices": [_choice(each) for each in output.choices[:]],
    }
    if output.HasField("usage"):
        body["usage"] = write_usage(output.usage)
    put_back(body, output.extras, DIALECT)
    return body


def _choice(choice: generate_pb2.Choice) -> dict[str, Any]:
    written: dict[str, Any] = {
        "index": choice.index,
        "message": _message(choice.message),
        "logprobs": write_logprobs(choice.logprobs, choice.refusal_logprobs),
        "finish_reason": finish_word(choice.finish_reason, choice.native_finish_reason),
    }
    put_back(written, choice.extras, DIALECT)
    return written


def _message(message: content_pb2.Message) -> dict[str, Any]:
    """One message. Texts of an answer in several parts become one: the dialect has no parts here.

    Loops go over slices, and not over what is empty: one over a repeated field itself ends with an exception that has a text.
    """
    written: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    proof = ""
    for part in message.parts[:]:
        kind = part.WhichOneof("kind")
        if kind == "text":
            text = part.text
            written["content"] = (written["content"] or "") + text.text
            if annotations := text.annotations:
                _annotate(written, annotations)
        else:
            _other(part, kind, written)
            if kind == "reasoning" and of_next_call(part.reasoning.signature):
                proof = part.reasoning.signature
            elif proof and kind == "tool_call":
                put_proof(written["tool_calls"][-1], proof)
                proof = ""
    put_back(written, message.extras, DIALECT)
    return written


def _annotate(written: dict[str, Any], annotations: Iterable[content_pb2.Extra]) -> None:
    for each in annotations:
        if each.dialect == DIALECT:
            written.setdefault("annotations", []).append(parsed(each.json))


def _other(part: content_pb2.Part, kind: str | None, written: dict[str, Any]) -> None:
    if kind == "refusal":
        written["refusal"] = (written["refusal"] or "") + part.refusal.text
    elif kind == "reasoning" and part.reasoning.text:
        written["reasoning_content"] = written.get("reasoning_content", "") + part.reasoning.text
    elif kind == "tool_call":
        written.setdefault("tool_calls", []).append(_tool_call(part))
    elif kind == "opaque" and part.opaque.dialect == DIALECT and part.opaque.type.startswith("tool_call."):
        written.setdefault("tool_calls", []).append(parsed(part.opaque.json))
    elif kind == "audio":
        written["audio"] = {"data": media.encoded(part.audio.data), "transcript": part.audio.transcript}
        put_back(written, part.extras, DIALECT)


def _tool_call(part: content_pb2.Part) -> dict[str, Any]:
    call = part.tool_call
    written = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}
    put_back(written, part.extras, DIALECT)
    return written
