"""From a provider's answer to `POST /chat/completions` to the typed payload. What is absent or null is tolerated, what is wrong is not."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import dumped, kept
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import parts_reading
from llm_mesh_dialects.openai.logprobs import read_logprobs
from llm_mesh_dialects.openai.quirks import OPENAI, Quirks
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT, finish_of

_INT32 = 2**31 - 1


def chat_to_output(body: dict[str, Any], quirks: Quirks = OPENAI) -> generate_pb2.GenerateOutput:
    """The typed answer; raises `DialectError` where the body is none."""
    fields = Fields(body)
    if not fields.items("choices"):
        raise fields.wrong("choices", "required: expected a list of answers")
    result = generate_pb2.GenerateOutput(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        created=fields.whole("created", 0) or 0,
        choices=[_choice(each, index) for index, each in enumerate(fields.each("choices"))],
    )
    usage = fields.inner("usage")
    if usage is not None:
        result.usage.CopyFrom(read_usage(usage, quirks))
    fields.raw("object")
    result.extras.extend(kept(DIALECT, fields.rest()))
    return result


def _choice(fields: Fields, place: int) -> generate_pb2.Choice:
    word = fields.text("finish_reason") or ""
    index = fields.whole("index", 0, _INT32)
    content, refusal, left = read_logprobs(fields)
    message = _message(fields.required("message"))
    extras = kept(DIALECT, fields.rest() | ({"logprobs": left} if left else {}))
    return generate_pb2.Choice(
        index=place if index is None else index,
        message=message,
        finish_reason=finish_of(word),
        native_finish_reason=word,
        logprobs=content,
        refusal_logprobs=refusal,
        extras=extras,
    )


def _message(fields: Fields) -> content_pb2.Message:
    fields.raw("role")
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=parts_reading.said(fields))
    left: dict[str, Any] = {}
    annotations = [each.whole_object() for each in fields.each("annotations")]
    text = next((part.text for part in message.parts if part.WhichOneof("kind") == "text"), None)
    if annotations and text is not None:
        text.annotations.extend(
            content_pb2.Extra(dialect=DIALECT, key=str(each.get("type", "")), json=dumped(each, fields.at("annotations")))
            for each in annotations
        )
    elif fields.peek("annotations") is not None:
        left["annotations"] = fields.peek("annotations")
    message.extras.extend(kept(DIALECT, fields.rest() | left))
    return message
