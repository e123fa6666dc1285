"""Messages and their parts, from the dialect to the typed payload. Requests and answers share it."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped, parsed
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_text
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.caching import read_hint
from llm_mesh_dialects.openai.proofs import with_proof
from llm_mesh_dialects.openai.vocabulary import DIALECT, audio_type

Part = content_pb2.Part
_PLAIN = frozenset({"type", "text"})


def content(message: Fields, key: str = "content") -> list[Part]:
    """The parts of a content: a text, a list of parts, or nothing."""
    value = message.raw(key)
    if value is None:
        return []
    if isinstance(value, str):
        return [Part(text=content_pb2.Text(text=value))]
    if not isinstance(value, list):
        raise message.wrong(key, "expected a string or a list of parts")
    return [_part(each) for each in message.each(key)]


def plain(value: Any) -> list[str] | None:  # noqa: ANN401 (JSON)
    """The texts of a content that is a text, or a list of parts that are texts and nothing else; None where it is anything more."""
    if type(value) is str:
        return [value]
    if type(value) is not list or not value:
        return None
    texts = []
    for part in value:
        if type(part) is not dict or part.keys() != _PLAIN or part["type"] != "text" or type(part["text"]) is not str:
            return None
        texts.append(part["text"])
    return texts


def answer_parts(message: Fields) -> list[Part]:
    """What a model said: reasoning, content, refusal, sound, tool calls."""
    parts = [Part(reasoning=content_pb2.Reasoning(text=text)) for text in _thoughts(message)]
    parts += [_thinking(part) or part for part in content(message)]
    refusal = message.text("refusal")
    if refusal is not None:
        parts.append(Part(refusal=content_pb2.Refusal(text=refusal)))
    return parts + spoken(message) + tool_calls(message)


def tool_calls(message: Fields) -> list[Part]:
    """The tools that an assistant calls."""
    calls = [part for each in message.each("tool_calls") for part in with_proof(_tool_call(each))]
    if calls or not isinstance(message.peek("function_call"), dict):
        return calls
    return [_called(message.required("function_call"), "")]  # as it was before tools


def thinking_of(part: dict[str, Any]) -> str:
    """The words of a part of thinking, as Mistral has it: a text, or a list of texts."""
    inner = part.get("thinking")
    if isinstance(inner, list):
        return "".join(each["text"] for each in inner if isinstance(each, dict) and isinstance(each.get("text"), str))
    return inner if isinstance(inner, str) else ""


def _thinking(part: Part) -> Part | None:
    """A part of thinking that an answer has in its content, as reasoning."""
    if part.WhichOneof("kind") != "opaque" or part.opaque.type != "thinking":
        return None
    text = thinking_of(parsed(part.opaque.json))
    return Part(reasoning=content_pb2.Reasoning(text=text)) if text else None


def spoken(message: Fields) -> list[Part]:
    """An assistant's sound: the whole of it in an answer, its id in a request."""
    audio = message.inner("audio")
    if audio is None:
        return []
    data, number = audio.text("data"), audio.text("id")
    if data is None:
        if not number:
            raise audio.wrong("id", "required: expected a string")
        return [Part(audio=content_pb2.Media(file_id=number), extras=_nested("audio", audio))]
    sound = content_pb2.Media(data=media.decoded(data, audio.at("data")), transcript=audio.text("transcript") or "")
    left = audio.rest() | ({"id": number} if number else {})
    return [Part(audio=sound, extras=as_extras(DIALECT, {"audio": left} if left else {}))]


def _part(part: Fields) -> Part:
    kind = part.required_text("type")
    read = _KINDS.get(kind)
    if read is None:
        return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(part.whole_object())))
    result: Part = read(part)
    read_hint(result, part)
    left = part.rest()
    if left:
        result.extras.extend(as_extras(DIALECT, left))
    return result


def _text(part: Fields) -> Part:
    text = part.text("text")
    if text is None:
        raise part.wrong("text", "required: expected a string")
    return Part(text=content_pb2.Text(text=text))


def _refusal(part: Fields) -> Part:
    text = part.text("refusal")
    if text is None:
        raise part.wrong("refusal", "required: expected a string")
    return Part(refusal=content_pb2.Refusal(text=text))


def _image(part: Fields) -> Part:
    image = part.required("image_url")
    media_part = media.from_url(image.required_text("url"), image.at("url"))
    media_part.detail = image.text("detail") or ""
    return Part(image=media_part, extras=_nested("image_url", image))


def _audio(part: Fields) -> Part:
    audio = part.required("input_audio")
    data = media.decoded(audio.required_text("data"), audio.at("data"))
    media_part = content_pb2.Media(data=data, mime_type=audio_type(audio.required_text("format")))
    return Part(audio=media_part, extras=_nested("input_audio", audio))


def _file(part: Fields) -> Part:
    file = part.required("file")
    number, data = file.text("file_id"), file.text("file_data")
    if number:
        media_part = content_pb2.Media(file_id=number)
    elif data:
        media_part = media.from_url(data, file.at("file_data"))
    else:
        raise file.wrong("file_data", "required: expected a data URL, or a file_id")
    media_part.filename = file.text("filename") or ""
    return Part(file=media_part, extras=_nested("file", file))


_KINDS = {"text": _text, "refusal": _refusal, "image_url": _image, "input_audio": _audio, "file": _file}


def _tool_call(call: Fields) -> Part:
    kind = call.text("type") or "function"
    if kind != "function":
        return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=f"tool_call.{kind}", json=dumped(call.whole_object())))
    part = _called(call.required("function"), loose_text(call.raw("id")))
    call.raw("index")  # servers repeat it in whole answers; the order says the same
    part.extras.extend(as_extras(DIALECT, call.rest()))
    return part


def _called(function: Fields, number: str) -> Part:
    arguments: Any = function.raw("arguments")
    if isinstance(arguments, dict):  # some servers parse what the model wrote
        arguments = dumped(arguments).decode()
    elif arguments is not None and not isinstance(arguments, str):
        raise function.wrong("arguments", "expected JSON in a string")
    tool_call = content_pb2.ToolCall(id=number, name=function.required_text("name"), arguments_json=arguments or "")
    return Part(tool_call=tool_call, extras=_nested("function", function))


def _thoughts(message: Fields) -> list[str]:
    """Servers call it either way; some say it twice."""
    reasoning = message.text("reasoning_content") or ""
    if isinstance(message.peek("reasoning"), str):
        reasoning = reasoning or message.text("reasoning") or ""
    return [reasoning] if reasoning else []


def _nested(key: str, inner: Fields) -> list[content_pb2.Extra]:
    left = inner.rest()
    return as_extras(DIALECT, {key: left}) if left else []
