"""What a request may say to the mesh itself: in the body's extension field `llm_mesh`, or in headers. The field wins.

The field is taken out of the body before the dialect reads it, so that no provider ever sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

import orjson

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_runtime.errors import invalid

FIELD = "llm_mesh"
_HEADERS = frozenset({b"idempotency-key", b"x-llm-mesh-session", b"x-llm-mesh-fidelity", b"x-llm-mesh-tags", b"x-llm-mesh-prompt"})
_IN_HEADERS = {
    "options.session": "x-llm-mesh-session",
    "options.tags": "x-llm-mesh-tags",
    "options.prompt.label": "x-llm-mesh-prompt-label",
    "options.prompt": "x-llm-mesh-prompt",
}
"""Which header says the same as an option of the body."""
_FIDELITIES = {"best_effort": gateway_pb2.FIDELITY_BEST_EFFORT, "exact": gateway_pb2.FIDELITY_EXACT}


def options_of(body: dict[str, Any], headers: Headers) -> tuple[gateway_pb2.RequestOptions | None, str]:
    """The options if there are any, and the project that the body selects. Takes the extension field out of the body."""
    in_body = body.pop(FIELD, None)
    in_headers = headers.any_of(_HEADERS)
    if in_body is None and not in_headers:
        return None, ""
    options = gateway_pb2.RequestOptions()
    if in_headers:
        _read_headers(headers, options)
    return options, "" if in_body is None else _read_field(_object(FIELD, in_body), options)


def header_of(field: str, headers: Headers, in_body: Container[str]) -> str:
    """The header in which a client said what a field of the options has; empty where it said it in the body, or not at all."""
    for option, header in _IN_HEADERS.items():
        if field == option or field.startswith((f"{option}.", f"{option}[")):
            in_header = headers.get(header.encode()) and option.split(".")[1] not in in_body
            return header if in_header else ""
    return ""


def _read_headers(headers: Headers, options: gateway_pb2.RequestOptions) -> None:
    if key := _header(headers, b"idempotency-key"):
        options.idempotency_key = key
    if session := _header(headers, b"x-llm-mesh-session"):
        options.session = session
    if fidelity := headers.get(b"x-llm-mesh-fidelity"):
        options.fidelity = _fidelity("x-llm-mesh-fidelity", fidelity)
    if tags := _header(headers, b"x-llm-mesh-tags"):
        options.tags.update(_tags_of_header(tags))
    if name := _header(headers, b"x-llm-mesh-prompt"):
        options.prompt.name, options.prompt.label = name, _header(headers, b"x-llm-mesh-prompt-label")


def _read_field(field: dict[str, Any], options: gateway_pb2.RequestOptions) -> str:
    project = ""
    for key, value in field.items():
        path = f"{FIELD}.{key}"
        if key == "project":
            project = _string(path, value)
        elif (read := _READERS.get(key)) is not None:
            read(path, value, options)
        else:
            raise invalid(path, f"one of project, {', '.join(_READERS)}")
    return project


def _prompt(path: str, value: object, options: gateway_pb2.RequestOptions) -> None:
    options.ClearField("prompt")
    for key, inner in _object(path, value).items():
        if key == "name":
            options.prompt.name = _string(f"{path}.name", inner)
        elif key == "label":
            options.prompt.label = _string(f"{path}.label", inner)
        elif key == "variables":
            options.prompt.variables_json = orjson.dumps(_object(f"{path}.variables", inner)).decode()
        else:
            raise invalid(f"{path}.{key}", "one of name, label, variables")
    if not options.prompt.name:
        raise invalid(f"{path}.name", "required with a prompt")


def _tags(path: str, value: object, options: gateway_pb2.RequestOptions) -> None:
    for key, inner in _object(path, value).items():
        options.tags[key] = _string(f"{path}.{key}", inner)


def _fidelity_field(path: str, value: object, options: gateway_pb2.RequestOptions) -> None:
    options.fidelity = _fidelity(path, _string(path, value))


def _session(path: str, value: object, options: gateway_pb2.RequestOptions) -> None:
    options.session = _string(path, value)


_READERS: Mapping[str, Callable[[str, object, gateway_pb2.RequestOptions], None]] = {
    "prompt": _prompt,
    "tags": _tags,
    "fidelity": _fidelity_field,
    "session": _session,
}


def _fidelity(path: str, value: str) -> gateway_pb2.Fidelity:
    if not value:
        return gateway_pb2.FIDELITY_UNSPECIFIED
    known = _FIDELITIES.get(value.lower())
    if known is None:
        raise invalid(path, "best_effort or exact")
    return known


def _tags_of_header(value: str) -> dict[str, str]:
    tags = {}
    for item in filter(None, (item.strip() for item in value.split(","))):
        key, equals, tag = item.partition("=")
        if not equals:
            raise invalid("x-llm-mesh-tags", "key=value, separated by commas")
        tags[key.strip()] = tag.strip()
    return tags


def _header(headers: Headers, name: bytes) -> str:
    """A header's text. HTTP's bytes are read as UTF-8, as clients write them."""
    value = headers.get(name)
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise invalid(name.decode(), "valid UTF-8") from None


def _object(path: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(path, "an object")
    return value


def _string(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid(path, "a string")
    return value
