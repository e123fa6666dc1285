"""From a provider's answer to `POST /chat/completions` to the typed payload. What is absent or null is tolerated, what is wrong is not."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped, keep
from llm_mesh_dialects.fields import Fields, a_text, a_whole, unread
from llm_mesh_dialects.loose import loose_count, loose_text
from llm_mesh_dialects.openai import parts_reading
from llm_mesh_dialects.openai.call_ids import name_calls
from llm_mesh_dialects.openai.logprobs import read_logprobs
from llm_mesh_dialects.openai.quirks import OPENAI, OpenAIQuirks
from llm_mesh_dialects.openai.tiers import TIER, served_tier
from llm_mesh_dialects.openai.usage import read_usage_into
from llm_mesh_dialects.openai.vocabulary import DIALECT, finish_of

_INT32 = 2**31 - 1
_BODY: Final = frozenset({"id", "object", "created", "model", "choices", "usage"})
_CHOICE: Final = frozenset({"index", "message", "finish_reason", "logprobs"})
_MESSAGE: Final = frozenset({"role", "content", "refusal", "audio", "tool_calls", "annotations", "reasoning_content"})
_BESIDE_TEXT: Final = frozenset({"refusal", "audio", "reasoning_content", "reasoning", "function_call"})
_LISTED: Final = frozenset({"tool_calls", "annotations"})
_ENDED_AS_USUAL: Final = frozenset({generate_pb2.FINISH_REASON_UNSPECIFIED, generate_pb2.FINISH_REASON_STOP})
_APPROXIMATED: Final = generate_pb2.TRANSLATION_ACTION_APPROXIMATED


def chat_to_output(body: dict[str, Any], quirks: OpenAIQuirks = OPENAI) -> generate_pb2.GenerateOutput:
    """The typed answer; raises `DialectError` where the body is none."""
    result = generate_pb2.GenerateOutput()
    chat_into_output(result, body, quirks)
    return result


def chat_into_output(result: generate_pb2.GenerateOutput, body: dict[str, Any], quirks: OpenAIQuirks = OPENAI) -> None:
    """Likewise, into a message that is there already, and empty."""
    if not isinstance(body, dict):
        raise DialectError("", "expected an object")
    choices = body.get("choices")
    if not choices or not isinstance(choices, list):
        raise DialectError("choices", "required: expected a list of answers" if choices in (None, []) else "expected a list")
    result.id = loose_text(body.get("id"))
    result.model = loose_text(body.get("model"))
    result.created = int(loose_count(body.get("created")) or 0)
    for place, choice in enumerate(choices):
        _choice(choice, place, result)
    usage = body.get("usage")
    if usage is not None:
        read_usage_into(result.usage, usage, quirks)
        if (tier := body.get(TIER)) is not None:
            result.usage.service_tier = served_tier(tier)
    keep(result, DIALECT, unread(body, _BODY))


def _choice(choice: Any, place: int, result: generate_pb2.GenerateOutput) -> None:  # noqa: ANN401 (JSON)
    target = result.choices.add()
    path = f"choices[{place}]"
    if not isinstance(choice, dict):
        raise DialectError(path, "expected an object")
    index = choice.get("index")
    target.index = place if index is None else a_whole(index, f"{path}.index", 0, _INT32)
    calls = _message(choice.get("message"), f"{path}.message", target.message)
    if calls and target.message.parts[-1].WhichOneof("kind") == "tool_call":
        name_calls(target.message.parts, result.id, target.index)
    _finish(a_text(choice.get("finish_reason"), f"{path}.finish_reason"), target, result, calls=calls)
    left = unread(choice, _CHOICE)
    if choice.get("logprobs") is not None:
        content, refusal, odd = read_logprobs(Fields(choice, path))
        target.logprobs.extend(content)
        target.refusal_logprobs.extend(refusal)
        left = left | {"logprobs": odd} if odd else left
    keep(target, DIALECT, left)


def _finish(word: str, target: generate_pb2.Choice, result: generate_pb2.GenerateOutput, *, calls: bool) -> None:
    """Why the answer ended. A reason that its content contradicts, or none at all, becomes the nearest one."""
    reason = finish_of(word)
    if calls and reason in _ENDED_AS_USUAL:
        reason = generate_pb2.FINISH_REASON_TOOL_CALLS
    if not word:
        reason = reason or generate_pb2.FINISH_REASON_STOP
        note = "the provider gave no reason of the end"
        result.translations.add(field=f"choices[{target.index}].finish_reason", action=_APPROXIMATED, note=note)
    elif reason == generate_pb2.FINISH_REASON_OTHER:
        note = f"the provider's reason {word[:64]} is none of the dialect's"
        result.translations.add(field=f"choices[{target.index}].finish_reason", action=_APPROXIMATED, note=note)
    target.finish_reason = reason
    target.native_finish_reason = word


def _message(message: Any, path: str, target: content_pb2.Message) -> bool:  # noqa: ANN401 (JSON)
    """Reads what the model said, and answers whether it calls tools: asking the parts again would cost each plain text."""
    if message is None:
        raise DialectError(path, "required: expected an object")
    if not isinstance(message, dict):
        raise DialectError(path, "expected an object")
    target.role = content_pb2.ROLE_ASSISTANT
    if _only_text(message):
        target.parts.add().text.text = message["content"]
        left = unread(message, _MESSAGE)
        if message.get("annotations") is not None:
            left = {**left, "annotations": []}
        keep(target, DIALECT, left)
        return False
    _anything(Fields(message, path), target)
    return any(part.WhichOneof("kind") == "tool_call" for part in target.parts)


def _only_text(message: dict[str, Any]) -> bool:
    """Whether it says a text and nothing else, as nearly every answer does."""
    for key, value in message.items():
        if value is not None and (key in _BESIDE_TEXT or (key in _LISTED and value != [])):
            return False
    return type(message.get("content")) is str


def _anything(fields: Fields, target: content_pb2.Message) -> None:
    fields.raw("role")
    target.parts.extend(parts_reading.answer_parts(fields))
    annotations = [each.whole_object() for each in fields.each("annotations")]
    text = next((part.text for part in target.parts if part.WhichOneof("kind") == "text"), None)
    left: dict[str, Any] = {}
    if annotations and text is not None:
        text.annotations.extend(
            content_pb2.Extra(dialect=DIALECT, key=str(each.get("type", "")), json=dumped(each, fields.at("annotations")))
            for each in annotations
        )
    elif fields.peek("annotations") is not None:
        left["annotations"] = fields.peek("annotations")
    target.extras.extend(as_extras(DIALECT, fields.rest() | left))
