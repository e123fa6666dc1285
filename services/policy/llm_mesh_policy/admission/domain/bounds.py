"""The documented bounds of inputs. What breaks one is refused by the name of its field, before anything is planned or paid."""

import re
from collections.abc import Mapping, Sequence

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.nesting import deeper_than
from llm_mesh_runtime.resources import checked_alias

MOST_CANDIDATES = 128
_MOST_MESSAGES = 4096
_MOST_PARTS = 16_384
_MOST_TOOLS = 256
_MOST_STOPS = 16
_LONGEST_STOP = 256
_LONGEST_NAME = 256
_LONGEST_END_USER = 512
_MOST_BIASES = 1024
_MOST_TAGS = 16
_LONGEST_TAG = 255
_MOST_ITEMS = 2048
_DEEPEST_PARTS = 4
_DEEPEST_JSON = 100
_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TAG = re.compile(r"[a-z0-9_-]{1,63}")
_EFFORTS = frozenset({"", "none", "minimal", "low", "medium", "high", "xhigh", "max"})
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "top_k": (1, 2**31),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}


def check_generate(message: generate_pb2.GenerateInput) -> None:
    """A generation."""
    checked_alias(message.model, "generate.model")
    messages, tools = message.messages, message.tools
    if not 0 < len(messages) <= _MOST_MESSAGES:
        raise invalid("generate.messages", f"1 to {_MOST_MESSAGES} messages")
    count = 0
    for number, each in enumerate(messages[:]):  # a slice, since the end of a message's own list costs an exception
        count = _message(each, f"generate.messages[{number}]", count)
    if tools:
        _tools(tools)
    if message.HasField("tool_choice") and message.tool_choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED and not message.tool_choice.name:
        raise invalid("generate.tool_choice.name", "the tool to call, with NAMED")
    schema = message.response_format if message.HasField("response_format") else None
    if schema is not None and schema.HasField("json_schema") and not schema.json_schema.schema_json:
        raise invalid("generate.response_format.json_schema.schema_json", "a JSON Schema")
    if schema is not None:
        _nesting(schema.json_schema.schema_json, "generate.response_format.json_schema.schema_json")
    _choices(message)
    if message.HasField("sampling"):
        _sampling(message.sampling)
    _extras(message.extras, "generate")


def check_embed(message: embed_pb2.EmbedInput) -> None:
    """An embedding."""
    checked_alias(message.model, "embed.model")
    if not 0 < len(message.items) <= _MOST_ITEMS:
        raise invalid("embed.items", f"1 to {_MOST_ITEMS} items")
    for number, item in enumerate(message.items):
        kind = item.WhichOneof("kind")
        if kind is None or (kind == "tokens" and not item.tokens.ids):
            raise invalid(f"embed.items[{number}]", "a text or tokens")
    if message.dimensions < 0:
        raise invalid("embed.dimensions", "at least 0")
    if len(message.end_user.encode()) > _LONGEST_END_USER:
        raise invalid("embed.end_user", f"at most {_LONGEST_END_USER} bytes")
    _extras(message.extras, "embed")


def check_tags(tags: Mapping[str, str]) -> None:
    """Tags that a request is accounted under."""
    if len(tags) > _MOST_TAGS:
        raise invalid("tags", f"at most {_MOST_TAGS} tags")
    for key, value in tags.items():
        if not _TAG.fullmatch(key):
            raise invalid("tags", "keys of 1 to 63 of a-z, 0-9, _ and -")
        if len(value.encode()) > _LONGEST_TAG:
            raise invalid(f"tags[{key}]", f"a value of at most {_LONGEST_TAG} bytes")


def _message(message: content_pb2.Message, place: str, count: int) -> int:
    """Checks a message; how many parts there are by now."""
    role, parts = message.role, message.parts
    if role == content_pb2.ROLE_UNSPECIFIED:
        raise invalid(f"{place}.role", "who speaks")
    if len(message.name.encode()) > _LONGEST_NAME:
        raise invalid(f"{place}.name", f"at most {_LONGEST_NAME} bytes")
    if not parts and role != content_pb2.ROLE_ASSISTANT:
        raise invalid(f"{place}.parts", "at least one part")
    _extras(message.extras, place)
    return _parts(parts, place, 0, count)


def _parts(parts: Sequence[content_pb2.Part], place: str, depth: int, count: int) -> int:
    count += len(parts)
    if len(parts) > _MOST_MESSAGES or count > _MOST_PARTS:
        raise invalid(f"{place}.parts", f"at most {_MOST_MESSAGES} parts, and {_MOST_PARTS} in all messages together")
    for number, part in enumerate(parts[:]):
        kind = part.WhichOneof("kind")
        if kind != "text":  # most are
            count = _special(part, kind, f"{place}.parts[{number}]", depth, count)
        elif annotations := part.text.annotations:
            _extras(annotations, f"{place}.parts[{number}].text", "annotations")
        if part.extras:
            _extras(part.extras, f"{place}.parts[{number}]")
    return count


def _special(part: content_pb2.Part, kind: str | None, here: str, depth: int, count: int) -> int:
    if kind is None:
        raise invalid(here, "a kind of part")
    if kind in {"image", "audio", "file"}:
        _media(getattr(part, kind), f"{here}.{kind}")
    elif kind == "tool_call":
        if not part.tool_call.id:
            raise invalid(f"{here}.tool_call.id", "the id that the result refers to")
        _nesting(part.tool_call.arguments_json, f"{here}.tool_call.arguments_json")
    elif kind == "opaque":
        _nesting(part.opaque.json, f"{here}.opaque.json")
    elif kind == "tool_result":
        if not part.tool_result.tool_call_id:
            raise invalid(f"{here}.tool_result.tool_call_id", "the id of the tool call")
        if depth >= _DEEPEST_PARTS:
            raise invalid(f"{here}.tool_result", "less nesting")
        return _parts(part.tool_result.parts, f"{here}.tool_result", depth + 1, count)
    return count


def _media(media: content_pb2.Media, place: str) -> None:
    source = media.WhichOneof("source")
    if source is None:
        raise invalid(place, "data, a URI or a file id")
    if source == "data" and not media.mime_type:
        raise invalid(f"{place}.mime_type", "a media type, with data")
    if source == "uri" and not media.uri:
        raise invalid(f"{place}.uri", "a URI")  # to which ones a provider may be sent, its endpoint says


def _tools(tools: Sequence[content_pb2.Tool]) -> None:
    if len(tools) > _MOST_TOOLS:
        raise invalid("generate.tools", f"at most {_MOST_TOOLS} tools")
    for number, tool in enumerate(tools):
        _tool(tool, f"generate.tools[{number}]")


def _tool(tool: content_pb2.Tool, place: str) -> None:
    kind = tool.WhichOneof("kind")
    if kind is None:
        raise invalid(place, "a kind of tool")
    if kind == "function" and not _FUNCTION.fullmatch(tool.function.name):
        raise invalid(f"{place}.function.name", "1 to 128 of A-Z, a-z, 0-9, _ and -")
    if kind == "function":
        _nesting(tool.function.parameters_json, f"{place}.function.parameters_json")
    else:
        _nesting(tool.opaque.json, f"{place}.opaque.json")
    _extras(tool.extras, place)


def _choices(message: generate_pb2.GenerateInput) -> None:
    if not 0 <= message.candidate_count <= MOST_CANDIDATES:
        raise invalid("generate.candidate_count", f"0 to {MOST_CANDIDATES}")
    if message.max_output_tokens < 0:
        raise invalid("generate.max_output_tokens", "at least 1, or 0 for the limit that policy sets")
    stops = message.stop
    if len(stops) > _MOST_STOPS:
        raise invalid("generate.stop", f"at most {_MOST_STOPS} sequences")
    for number, stop in enumerate(stops[:]):
        if not 0 < len(stop.encode()) <= _LONGEST_STOP:
            raise invalid(f"generate.stop[{number}]", f"1 to {_LONGEST_STOP} bytes")
    if message.HasField("logprobs") and not 0 <= message.logprobs.top <= 20:  # noqa: PLR2004 (the contract's figure)
        raise invalid("generate.logprobs.top", "0 to 20")
    if len(message.end_user.encode()) > _LONGEST_END_USER:
        raise invalid("generate.end_user", f"at most {_LONGEST_END_USER} bytes")
    if message.HasField("reasoning"):
        _reasoning(message.reasoning)


def _reasoning(reasoning: generate_pb2.ReasoningOptions) -> None:
    if reasoning.effort not in _EFFORTS:
        raise invalid("generate.reasoning.effort", "none, minimal, low, medium, high, xhigh or max")
    if reasoning.budget_tokens < 0:
        raise invalid("generate.reasoning.budget_tokens", "at least 0")


def _sampling(sampling: generate_pb2.Sampling) -> None:
    for name, (least, most) in _RANGES.items():
        if sampling.HasField(name):
            value = getattr(sampling, name)
            if not least <= value <= most or (name == "top_p" and value == 0):
                raise invalid(f"generate.sampling.{name}", f"{least} to {most}")
    if len(sampling.logit_bias) > _MOST_BIASES:
        raise invalid("generate.sampling.logit_bias", f"at most {_MOST_BIASES} tokens")
    for token, bias in sampling.logit_bias.items():
        if not -100 <= bias <= 100:  # noqa: PLR2004 (the contract's figures)
            raise invalid(f"generate.sampling.logit_bias[{token}]", "-100 to 100")


def _nesting(json: str | bytes, field: str) -> None:
    """JSON that others will parse and walk: each of its levels takes some of their stack."""
    if deeper_than(json, _DEEPEST_JSON):
        raise invalid(field, f"JSON that is nested at most {_DEEPEST_JSON} deep")


def _extras(extras: Sequence[content_pb2.Extra], place: str, name: str = "extras") -> None:
    """Checks extras."""
    if not extras:
        return
    for number, extra in enumerate(extras):
        if not extra.dialect or not extra.key:
            raise invalid(f"{place}.{name}[{number}]", "a dialect and a key")
        _nesting(extra.json, f"{place}.{name}[{extra.dialect}.{extra.key}]")
