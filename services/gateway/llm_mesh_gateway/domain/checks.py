"""The documented form of requests, checked once and before anything else is asked: what is wrong here charges nothing.

Loops go over slices, and nowhere over what is empty: a loop over a repeated field itself ends with an exception that has a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_runtime.errors import invalid

_ALIAS = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_TAG = re.compile(r"[a-z0-9_-]{1,63}")
_TOOL = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MAX_MESSAGES = 4096
_MAX_PARTS = 4096
_MAX_PARTS_IN_ALL = 16_384
_DEEPEST_PARTS = 4
_MAX_TOOLS = 256
_MAX_CANDIDATES = 128
_MAX_STOPS = 16
_MAX_STOP = 256
_MAX_ITEMS = 2048
_MAX_TAGS = 16
_MAX_TEXT = 255
_MAX_END_USER = 512
_MAX_NAME = 256
_MAX_BIASES = 1024
_MAX_TOP_LOGPROBS = 20
_RANGES = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "top_k": (1, 2**31 - 1),
}


def check_options(options: gateway_pb2.RequestOptions) -> None:
    """Tags, keys and names within their limits."""
    if options.tags:
        _tags(options.tags)
    if (key := options.idempotency_key) and _longer(key, _MAX_TEXT):
        raise invalid("options.idempotency_key", f"at most {_MAX_TEXT} bytes")
    if (session := options.session) and _longer(session, _MAX_TEXT):
        raise invalid("options.session", f"at most {_MAX_TEXT} bytes")
    if options.HasField("prompt") and not options.prompt.name:
        raise invalid("options.prompt.name", "required with a prompt")


def check_generation(request: generate_pb2.GenerateInput, *, has_prompt: bool) -> None:
    """A generation, before rendering."""
    _model(request.model)
    messages = request.messages
    if not messages and not has_prompt:
        raise invalid("input.messages", "at least one, where no prompt supplies them")
    if len(messages) > _MAX_MESSAGES:
        raise invalid("input.messages", f"at most {_MAX_MESSAGES}")
    count = 0
    for place, message in enumerate(messages[:]):
        count += _message(place, message)
        if count > _MAX_PARTS_IN_ALL:
            raise invalid("input.messages", f"at most {_MAX_PARTS_IN_ALL} parts in all messages together")
    if request.tools or request.HasField("tool_choice"):
        _tools(request)
    _amounts(request)
    if request.HasField("sampling"):
        _sampling(request.sampling)


def check_embedding(request: embed_pb2.EmbedInput) -> None:
    """Raise INVALID_FIELD where an embedding request cannot be valid for any model."""
    _model(request.model)
    if not 1 <= len(request.items) <= _MAX_ITEMS:
        raise invalid("input.items", f"1 to {_MAX_ITEMS}")
    for place, item in enumerate(request.items):
        if item.WhichOneof("kind") is None:
            raise invalid(f"input.items[{place}]", "text or tokens")
    if request.dimensions < 0:
        raise invalid("input.dimensions", "at least 0")


def _model(alias: str) -> None:
    if _ALIAS.fullmatch(alias) is None:
        raise invalid("input.model", "an alias of the form [A-Za-z0-9._:/-]{1,128}")


def _message(place: int, message: content_pb2.Message) -> int:
    """Checks a message; how many parts it has, those in results of tools included."""
    parts = message.parts
    if not message.role:
        raise invalid(f"input.messages[{place}].role", "required")
    if len(parts) > _MAX_PARTS:
        raise invalid(f"input.messages[{place}].parts", f"at most {_MAX_PARTS}")
    if not parts and message.role != content_pb2.ROLE_ASSISTANT:
        raise invalid(f"input.messages[{place}].parts", "at least one, but in an assistant's message")
    if (name := message.name) and _longer(name, _MAX_NAME):
        raise invalid(f"input.messages[{place}].name", f"at most {_MAX_NAME} bytes")
    count = len(parts)
    for each, part in enumerate(parts[:]):
        kind = part.WhichOneof("kind")
        if kind != "text":
            count += _part(f"input.messages[{place}].parts[{each}]", part, kind)
    return count


def _part(path: str, part: content_pb2.Part, kind: str | None) -> int:
    """Checks a part that is no text; how many parts are in it."""
    if kind is None:
        raise invalid(path, "one of its kinds is required")
    if kind in {"image", "audio", "file"} and getattr(part, kind).WhichOneof("source") is None:
        raise invalid(f"{path}.{kind}", "data, uri or file_id is required")
    if kind != "tool_result":
        return 0
    if not part.tool_result.tool_call_id:
        raise invalid(f"{path}.tool_result.tool_call_id", "required")
    return _inner(path, part.tool_result.parts)


def _inner(path: str, parts: Sequence[content_pb2.Part], depth: int = 1) -> int:
    """How many parts a tool's result has, however deep they are."""
    if depth > _DEEPEST_PARTS:
        raise invalid(f"{path}.tool_result", "less nesting")
    count = len(parts)
    if count > _MAX_PARTS:
        raise invalid(f"{path}.tool_result.parts", f"at most {_MAX_PARTS}")
    for part in parts[:]:
        if part.WhichOneof("kind") == "tool_result" and count <= _MAX_PARTS_IN_ALL:
            count += _inner(path, part.tool_result.parts, depth + 1)
    return count


def _tools(request: generate_pb2.GenerateInput) -> None:
    if len(request.tools) > _MAX_TOOLS:
        raise invalid("input.tools", f"at most {_MAX_TOOLS}")
    for place, tool in enumerate(request.tools):
        kind = tool.WhichOneof("kind")
        if kind is None:
            raise invalid(f"input.tools[{place}]", "one of its kinds is required")
        if kind == "function" and _TOOL.fullmatch(tool.function.name) is None:
            raise invalid(f"input.tools[{place}].function.name", "[A-Za-z0-9_-]{1,128}")
    if request.tool_choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED and not request.tool_choice.name:
        raise invalid("input.tool_choice.name", "required with NAMED")


def _amounts(request: generate_pb2.GenerateInput) -> None:
    if not 0 <= request.candidate_count <= _MAX_CANDIDATES:
        raise invalid("input.candidate_count", f"1 to {_MAX_CANDIDATES}")
    if request.max_output_tokens < 0:
        raise invalid("input.max_output_tokens", "at least 1")
    if stops := request.stop:
        _stops(stops)
    if request.HasField("logprobs") and not 0 <= request.logprobs.top <= _MAX_TOP_LOGPROBS:
        raise invalid("input.logprobs.top", f"0 to {_MAX_TOP_LOGPROBS}")
    if (user := request.end_user) and _longer(user, _MAX_END_USER):
        raise invalid("input.end_user", f"at most {_MAX_END_USER} bytes")


def _stops(stops: Sequence[str]) -> None:
    if len(stops) > _MAX_STOPS:
        raise invalid("input.stop", f"at most {_MAX_STOPS}")
    for place, stop in enumerate(stops):
        if not 1 <= len(stop.encode()) <= _MAX_STOP:
            raise invalid(f"input.stop[{place}]", f"1 to {_MAX_STOP} bytes")


def _sampling(sampling: generate_pb2.Sampling) -> None:
    for field, (least, most) in _RANGES.items():
        if sampling.HasField(field) and not least <= getattr(sampling, field) <= most:
            raise invalid(f"input.sampling.{field}", f"{least:g} to {most:g}")
    if len(sampling.logit_bias) > _MAX_BIASES:
        raise invalid("input.sampling.logit_bias", f"at most {_MAX_BIASES}")


def _tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _MAX_TAGS:
        raise invalid("options.tags", f"at most {_MAX_TAGS}")
    for key, value in tags.items():
        if _TAG.fullmatch(key) is None:
            raise invalid("options.tags", "keys of the form [a-z0-9_-]{1,63}")
        if _longer(value, _MAX_TEXT):
            raise invalid(f"options.tags.{key}", f"at most {_MAX_TEXT} bytes")


def _longer(text: str, most: int) -> bool:
    """Whether the text has more bytes than `most` in UTF-8."""
    return len(text) > most or (not text.isascii() and len(text.encode()) > most)
