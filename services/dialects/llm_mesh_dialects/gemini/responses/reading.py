"""From a provider's answer to `:generateContent` to the typed payload. What is absent or null is tolerated, what is wrong is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.logprobs import read_logprobs
from llm_mesh_dialects.gemini.responses.parts_reading import id_of_call, part
from llm_mesh_dialects.gemini.usage import usage_in
from llm_mesh_dialects.gemini.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.loose import loose_text

_INT32: Final = 2**31 - 1


def body_to_output(body: dict[str, Any]) -> generate_pb2.GenerateOutput:
    """The typed answer; raises `DialectError` where the body is none."""
    result = generate_pb2.GenerateOutput()
    body_into_output(result, body)
    return result


def body_into_output(result: generate_pb2.GenerateOutput, body: dict[str, Any]) -> None:
    """Likewise, into a message that is there already, and empty."""
    fields = Fields(body)
    if not isinstance(fields.peek("candidates"), list):
        raise fields.wrong("candidates", "required: expected a list of candidates")
    result.id = loose_text(fields.raw("responseId"))
    result.model = loose_text(fields.raw("modelVersion"))
    result.created = created(fields)
    if (used := usage_in(fields)) is not None:
        result.usage.CopyFrom(used)
    for place, candidate in enumerate(fields.each("candidates")):
        _choice(result, candidate, place)
    keep(result, DIALECT, present(fields.rest()))


def created(fields: Fields) -> int:
    """When the provider made the answer, in seconds; 0 where it does not say."""
    try:
        return int(datetime.fromisoformat(loose_text(fields.raw("createTime"))).timestamp())
    except ValueError:
        return 0


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Those that are not null."""
    return {key: value for key, value in values.items() if value is not None}


def _choice(result: generate_pb2.GenerateOutput, candidate: Fields, place: int) -> None:
    index = candidate.whole("index", 0, _INT32)
    choice = result.choices.add(index=place if index is None else index)
    choice.message.role = content_pb2.ROLE_ASSISTANT
    calls = 0
    content = candidate.inner("content") if isinstance(candidate.peek("content"), dict) else None
    for each in content.each("parts") if content is not None else ():
        read = part(each, id_of_call(result.id, choice.index, calls))
        calls += sum(one.WhichOneof("kind") == "tool_call" for one in read)
        choice.message.parts.extend(read)
    word = candidate.text("finishReason") or ""
    choice.finish_reason, choice.native_finish_reason = finish_of(word, called=calls > 0), word
    choice.logprobs.extend(read_logprobs(candidate))
    left = present(candidate.rest())
    left.pop("content", None)
    keep(choice, DIALECT, left)
