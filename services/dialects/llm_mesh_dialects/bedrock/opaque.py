"""Blocks and tools that only the dialect itself models. The one key that they consist of is their type.

Blocks nest: a result of a tool may hold documents and films. What stands inside is judged as it would be in a place of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT, Gate
from llm_mesh_dialects.errors import DialectError, MediaAddressError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.report import Report

_LOCATION: Final = "s3Location"
_FREE: Final = frozenset({"json", "input"})
"""JSON of tools, which the provider reads no media from."""
_INNER: Final[Mapping[str, str]] = {
    **{kind: f"part_type.{kind}" for kind in ("image", "document", "video", "audio")},
    "systemTool": "tool_type.systemTool",
}
"""What is refused wherever it stands, by its name in the table of keys."""


def own_block(part: content_pb2.OpaquePart, place: str, path: str, report: Report) -> dict[str, Any] | None:
    """A block or tool that the typed payload does not model, where the report's gate lets it through."""
    value = parsed(part.json, f"{path}opaque.json")
    if not isinstance(value, dict) or len(value) != 1:
        raise DialectError(f"{path}opaque.json", "expected a JSON object with one key, which says what it is")
    if report.gate is None:
        return value
    kind = next(iter(value))  # the name beside it is the caller's word; what the provider reads is this
    value = report.gate.judged(place + kind, value, f"{path}opaque")
    if value is ABSENT:
        return None
    check_inside(value, report.gate, f"{path}opaque.json")
    return dict(value)


def check_bucket(gate: Gate, uri: str, field: str) -> None:
    """The provider reads with the rights of the operator's account, so the operator says which buckets."""
    try:
        gate.address(uri, field)
    except MediaAddressError:
        expected = "expected a bucket that the endpoint's operator allows by the key `media`, such as s3://reports"
        raise MediaAddressError(field, expected) from None


def check_inside(value: object, gate: Gate, field: str) -> None:
    """Judges all media and places in S3 anywhere inside. What is nested is bounded before it comes here."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            check_inside(inner, gate, f"{field}[{index}]")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        at = f"{field}.{key}"
        if key == _LOCATION:
            uri = inner.get("uri") if isinstance(inner, dict) else None
            if not isinstance(uri, str):
                raise DialectError(f"{at}.uri", "required: expected a string")
            check_bucket(gate, uri, f"{at}.uri")
        elif key not in _FREE:
            if key in _INNER and isinstance(inner, dict):
                gate.demand(_INNER[key], at)
            check_inside(inner, gate, at)
