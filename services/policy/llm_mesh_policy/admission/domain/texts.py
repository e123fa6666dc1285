"""Everything of a request that a provider could read, with its place and the means to replace it: what screening looks at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_policy.admission.domain import media
from llm_mesh_policy.screening.ports import Flow, Slot, TextForm

_MEDIA = frozenset({"image", "audio", "file"})


def of_generate(message: generate_pb2.GenerateInput) -> Iterator[Slot]:
    """What a generation holds, in the order of its fields."""
    for number, each in enumerate(message.messages[:]):
        yield from of_message(each, f"messages[{number}]")
    for number, tool in enumerate(message.tools[:] if message.tools else ()):
        yield from _tool(tool, f"tools[{number}]")
    if message.HasField("tool_choice"):
        yield from of_attribute(message.tool_choice, "name", "tool_choice", form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    if message.HasField("response_format") and message.response_format.HasField("json_schema"):
        yield from _schema(message.response_format.json_schema, "response_format.json_schema")
    for name in ("stop", "modalities"):
        yield from of_repeated(getattr(message, name), name)
    for name in ("end_user", "prompt_cache_key"):
        yield from of_attribute(message, name, "", flow=Flow.ATTRIBUTES)
    if message.HasField("sampling") and message.sampling.logit_bias:
        yield from _biases(message.sampling)
    if message.extras:
        yield from of_extras(message.extras, "")


def of_embed(message: embed_pb2.EmbedInput) -> Iterator[Slot]:
    """What an embedding holds. Token ids are nothing that screening can read."""
    for number, item in enumerate(message.items[:]):
        if item.WhichOneof("kind") == "text":
            yield from of_attribute(item, "text", f"items[{number}]")
        else:
            yield _opaque(f"items[{number}].tokens", "token ids", _setter(item, "text"))
    yield from of_attribute(message, "end_user", "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def of_message(message: content_pb2.Message, place: str) -> Iterator[Slot]:
    """What a message holds."""
    if message.name:
        yield from of_attribute(message, "name", place, flow=Flow.IDENTIFIERS)
    yield from of_parts(message.parts, f"{place}.parts")
    if message.extras:
        yield from of_extras(message.extras, place)


def of_parts(parts: Sequence[content_pb2.Part], place: str) -> Iterator[Slot]:
    """Parts of a message, or of something else that has some."""
    for number, part in enumerate(parts[:]):
        yield from _part(part, f"{place}[{number}]")


def _part(part: content_pb2.Part, here: str) -> Iterator[Slot]:
    kind = part.WhichOneof("kind")
    if kind == "text":
        yield from of_attribute(part.text, "text", here)
        if part.text.annotations:
            yield from of_extras(part.text.annotations, here + ".text", "annotations")
    elif kind in _MEDIA:
        yield from _media(part, kind, f"{here}.{kind}")
    elif kind is not None:
        yield from _KINDS[kind](part, f"{here}.{kind}")
    if part.extras:
        yield from of_extras(part.extras, here)


def _refusal(part: content_pb2.Part, place: str) -> Iterator[Slot]:
    yield from of_attribute(part.refusal, "text", place)


def _tool_result(part: content_pb2.Part, place: str) -> Iterator[Slot]:
    result = part.tool_result
    yield from of_attribute(result, "tool_call_id", place, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    for number, inner in enumerate(result.parts[:]):
        yield from _part(inner, f"{place}.parts[{number}]")


def _opaque_part(part: content_pb2.Part, place: str) -> Iterator[Slot]:
    yield from of_attribute(part.opaque, "type", place, flow=Flow.IDENTIFIERS)
    yield from _json(part.opaque, place, Flow.CONVERSATION)


def _reasoning(part: content_pb2.Part, place: str) -> Iterator[Slot]:
    yield from of_attribute(part.reasoning, "text", place)
    yield from of_attribute(part.reasoning, "signature", place, flow=Flow.ATTRIBUTES)
    if part.reasoning.redacted:
        yield _opaque(f"{place}.redacted", "sealed reasoning", _as_text(part))


def _tool_call(part: content_pb2.Part, place: str) -> Iterator[Slot]:
    call = part.tool_call
    yield from of_attribute(call, "id", place, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    yield from of_attribute(call, "name", place, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    yield from of_attribute(call, "arguments_json", place, form=TextForm.JSON)


_KINDS: Mapping[str, Callable[[content_pb2.Part, str], Iterator[Slot]]] = {
    "refusal": _refusal,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "opaque": _opaque_part,
}


def _media(part: content_pb2.Part, kind: str, place: str) -> Iterator[Slot]:
    owner: content_pb2.Media = getattr(part, kind)
    for name in ("transcript", "filename"):
        yield from of_attribute(owner, name, place)
    for name in ("mime_type", "detail", "file_id"):
        yield from of_attribute(owner, name, place, flow=Flow.ATTRIBUTES)
    yield from of_attribute(owner, "uri", place, form=TextForm.URI, flow=Flow.ATTRIBUTES)
    text = media.readable(owner)
    if text is None:
        yield _opaque(place, kind, _as_text(part))
    else:
        yield Slot(f"{place}.{owner.WhichOneof('source')}", text, lambda new: media.replace(owner, new))


def _tool(tool: content_pb2.Tool, place: str) -> Iterator[Slot]:
    if tool.WhichOneof("kind") == "function":
        here = f"{place}.function"
        yield from of_attribute(tool.function, "name", here, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
        yield from of_attribute(tool.function, "description", here, flow=Flow.TOOLS)
        yield from of_attribute(tool.function, "parameters_json", here, form=TextForm.SCHEMA, flow=Flow.TOOLS)
    elif tool.WhichOneof("kind") == "opaque":
        yield from of_attribute(tool.opaque, "type", f"{place}.opaque", flow=Flow.IDENTIFIERS)
        yield from _json(tool.opaque, f"{place}.opaque", Flow.TOOLS)
    if tool.extras:
        yield from of_extras(tool.extras, place)


def _schema(schema: content_pb2.JsonSchemaFormat, place: str) -> Iterator[Slot]:
    yield from of_attribute(schema, "name", place, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    yield from of_attribute(schema, "description", place, flow=Flow.TOOLS)
    yield from of_attribute(schema, "schema_json", place, form=TextForm.SCHEMA, flow=Flow.TOOLS)


def _biases(sampling: generate_pb2.Sampling) -> Iterator[Slot]:
    biases = sampling.logit_bias
    for token in sorted(biases):

        def drop(_: str, token: str = token) -> None:
            del biases[token]

        yield Slot(f"sampling.logit_bias[{token}]", token, drop, TextForm.KEY, Flow.ATTRIBUTES)


def of_attribute(
    owner: Any,  # noqa: ANN401 (messages of many types)
    name: str,
    place: str,
    *,
    form: TextForm = TextForm.TEXT,
    flow: Flow = Flow.CONVERSATION,
) -> Iterator[Slot]:
    """A field with a text."""
    text = getattr(owner, name)
    if text:
        yield Slot(f"{place}.{name}" if place else name, text, _setter(owner, name), form, flow)


def _setter(owner: Any, name: str) -> Callable[[str], None]:  # noqa: ANN401 (messages of many types)
    return lambda new: setattr(owner, name, new)


def _as_text(part: content_pb2.Part) -> Callable[[str], None]:
    """Makes a text of a part, whatever it was."""

    def replace(new: str) -> None:
        part.text.text = new

    return replace


def _opaque(field: str, what: str, put: Callable[[str], None]) -> Slot:
    return Slot(field, what, put, TextForm.OPAQUE)


def of_repeated(texts: Any, name: str) -> Iterator[Slot]:  # noqa: ANN401 (a repeated field)
    """A repeated field of texts."""
    for number, text in enumerate(texts[:]):

        def replace(new: str, number: int = number) -> None:
            texts[number] = new

        yield Slot(f"{name}[{number}]", text, replace, TextForm.TEXT, Flow.ATTRIBUTES)


def of_extras(extras: Sequence[content_pb2.Extra], place: str, name: str = "extras") -> Iterator[Slot]:
    """Keys of dialects."""
    for number, extra in enumerate(extras[:]):
        here = f"{place}.{name}[{number}]" if place else f"{name}[{number}]"
        yield from of_attribute(extra, "key", here, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
        yield from _json(extra, here, Flow.ATTRIBUTES)


def _json(owner: Any, place: str, flow: Flow) -> Iterator[Slot]:  # noqa: ANN401 (an extra or an opaque part)
    if not owner.json:
        return
    text = owner.json.decode(errors="replace")  # the rule of the field is that it is UTF-8

    def replace(new: str) -> None:
        owner.json = new.encode()

    yield Slot(f"{place}.json", text, replace, TextForm.JSON, flow)
