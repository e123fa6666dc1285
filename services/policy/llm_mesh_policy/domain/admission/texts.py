"""Every text of a request, with its place and the means to replace it: what screening reads, extras included."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_runtime.errors import invalid


@dataclass(frozen=True, slots=True)
class Slot:
    """One text where it stands."""

    field: str
    text: str
    replace: Callable[[str], None]


def of_generate(message: generate_pb2.GenerateInput) -> Iterator[Slot]:
    """The texts of a generation, in the order of its fields."""
    for number, each in enumerate(message.messages):
        place = f"messages[{number}]"
        yield from _attribute(each, "name", place)
        yield from _parts(each.parts, place)
        yield from _extras(each.extras, place)
    for number, tool in enumerate(message.tools):
        yield from _tool(tool, f"tools[{number}]")
    if message.response_format.HasField("json_schema"):
        for name in ("name", "description", "schema_json"):
            yield from _attribute(message.response_format.json_schema, name, "response_format.json_schema")
    for number, text in enumerate(message.stop):
        yield Slot(f"stop[{number}]", text, _item(message.stop, number))
    for name in ("end_user", "prompt_cache_key"):
        yield from _attribute(message, name, "")
    yield from _extras(message.extras, "")


def of_embed(message: embed_pb2.EmbedInput) -> Iterator[Slot]:
    """The texts of an embedding. Tokens are not text and pass."""
    for number, item in enumerate(message.items):
        if item.WhichOneof("kind") == "text":
            yield from _attribute(item, "text", f"items[{number}]")
    yield from _attribute(message, "end_user", "")
    yield from _extras(message.extras, "")


def _parts(parts: Iterable[content_pb2.Part], place: str) -> Iterator[Slot]:
    for number, part in enumerate(parts):
        here = f"{place}.parts[{number}]"
        kind = part.WhichOneof("kind")
        if kind == "text":
            yield from _attribute(part.text, "text", here)
            yield from _extras(part.text.annotations, here + ".text", "annotations")
        elif kind in {"refusal", "reasoning"}:
            yield from _attribute(getattr(part, kind), "text", f"{here}.{kind}")
        elif kind == "tool_call":
            yield from _attribute(part.tool_call, "arguments_json", f"{here}.tool_call")
        elif kind == "tool_result":
            yield from _parts(part.tool_result.parts, f"{here}.tool_result")
        elif kind == "opaque":
            yield from _json(part.opaque, f"{here}.opaque")
        elif kind is not None:
            for name in ("transcript", "filename", "uri"):
                yield from _attribute(getattr(part, kind), name, f"{here}.{kind}")
        yield from _extras(part.extras, here)


def _tool(tool: content_pb2.Tool, place: str) -> Iterator[Slot]:
    if tool.WhichOneof("kind") == "function":
        for name in ("description", "parameters_json"):
            yield from _attribute(tool.function, name, f"{place}.function")
    elif tool.WhichOneof("kind") == "opaque":
        yield from _json(tool.opaque, f"{place}.opaque")
    yield from _extras(tool.extras, place)


def _attribute(owner: Any, name: str, place: str) -> Iterator[Slot]:  # noqa: ANN401 (messages of many types)
    text = getattr(owner, name)
    if text:
        yield Slot(f"{place}.{name}" if place else name, text, lambda new: setattr(owner, name, new))


def _item(texts: Any, number: int) -> Callable[[str], None]:  # noqa: ANN401 (a repeated field)
    def replace(new: str) -> None:
        texts[number] = new

    return replace


def _extras(extras: Iterable[content_pb2.Extra], place: str, name: str = "extras") -> Iterator[Slot]:
    for number, extra in enumerate(extras):
        yield from _json(extra, f"{place}.{name}[{number}]" if place else f"{name}[{number}]")


def _json(owner: Any, place: str) -> Iterator[Slot]:  # noqa: ANN401 (an extra or an opaque part)
    """The strings inside of JSON, decoded: an escape hides nothing."""
    if b'"' not in owner.json and not owner.json.isspace() and owner.json:
        return
    try:
        document = orjson.loads(owner.json)
    except orjson.JSONDecodeError as error:
        raise invalid(f"{place}.json", "JSON text in UTF-8") from error
    root = [document]

    def save() -> None:
        owner.json = orjson.dumps(root[0])

    yield from _strings(root, 0, f"{place}.json", save)


def _strings(holder: Any, key: Any, place: str, save: Callable[[], None]) -> Iterator[Slot]:  # noqa: ANN401 (any JSON)
    value = holder[key]
    if isinstance(value, str):

        def replace(new: str) -> None:
            holder[key] = new
            save()

        yield Slot(place, value, replace)
    elif isinstance(value, dict):
        for name in list(value):
            yield from _strings(value, name, f"{place}.{name}", save)
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from _strings(value, number, f"{place}[{number}]", save)
