"""Keys that the typed payload does not model: kept on the way in, put back on the way out, told where they cannot be.

Typed fields win: an extra never replaces what the typed payload wrote. Objects are merged, so that an unmodelled key inside a
modelled object (`stream_options.include_obfuscation`) survives beside its siblings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.report import Report

_TYPED: Final = "the typed payload has a field for it"

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer


def as_extras(dialect: str, values: Mapping[str, Any]) -> list[content_pb2.Extra]:
    """The keys as extras of a dialect."""
    return [content_pb2.Extra(dialect=dialect, key=key, json=dumped(value, key)) for key, value in values.items()]


class Extended(Protocol):
    """A message that has room for extras."""

    @property
    def extras(self) -> RepeatedCompositeFieldContainer[content_pb2.Extra]: ...


def keep(target: Extended, dialect: str, values: Mapping[str, Any]) -> None:
    """Adds the keys to a message's extras."""
    if values:
        extras = target.extras
        for key, value in values.items():
            extras.add(dialect=dialect, key=key, json=dumped(value, key))


def put_back(
    target: dict[str, Any],
    extras: Sequence[content_pb2.Extra],
    dialect: str,
    report: Report | None = None,
    path: str = "",
    *,
    place: str = "",
) -> None:
    """Adds the dialect's own extras to what was written, as far as the report's gate lets them, and reports those of others.

    `place` is where the keys stand, as the tables of keys name it: `message.`, `part.`, `tool.`, or nothing for the request itself.
    """
    if not extras:
        return  # as nearly always; the end of a loop over a repeated field is an exception with a text
    for extra in extras:
        if extra.dialect != dialect:
            if report is not None:
                report.dropped(f"{path}extras[{extra.dialect}.{extra.key}]", f"a key of the {extra.dialect} dialect")
            continue
        value = parsed(extra.json, f"{path}extras[{extra.key}]")
        if report is not None and report.gate is not None:
            value = report.gate.judged(place + extra.key, value, f"{path}extras[{dialect}.{extra.key}]")
            if value is ABSENT:
                continue
        if extra.key not in target:
            target[extra.key] = value
        elif isinstance(target[extra.key], dict) and isinstance(value, dict):
            _report_hidden(value, target[extra.key], f"{path}extras[{dialect}.{extra.key}]", report)
            target[extra.key] = merged(value, target[extra.key])
        elif report is not None:
            report.dropped(f"{path}extras[{dialect}.{extra.key}]", _TYPED)


def put_nowhere(extras: Sequence[content_pb2.Extra], dialect: str, report: Report, path: str, *, place: str) -> None:
    """Judges extras as `put_back` does, and reports those that might pass: what they stand at is written where no key has a place."""
    passed: dict[str, Any] = {}
    put_back(passed, extras, dialect, report, path, place=place)
    for key in passed:
        report.dropped(f"{path}extras[{dialect}.{key}]", "a key has no place here")


def _report_hidden(under: Mapping[str, Any], over: Mapping[str, Any], path: str, report: Report | None) -> None:
    """Tells what of an extra a typed field says otherwise."""
    if report is None:
        return
    for key in under.keys() & over.keys():
        if isinstance(under[key], dict) and isinstance(over[key], dict):
            _report_hidden(under[key], over[key], f"{path}.{key}", report)
        elif under[key] != over[key]:
            report.dropped(f"{path}.{key}", _TYPED)


def whole(part: content_pb2.OpaquePart, place: str, report: Report, field: str) -> Any:  # noqa: ANN401 (JSON)
    """What an opaque part or tool of the own dialect is, or ABSENT where the report's gate keeps it here."""
    value = parsed(part.json, f"{field}.json")
    gate = report.gate
    if gate is None:
        return value
    if not isinstance(value, dict):
        raise DialectError(f"{field}.json", "expected a JSON object")
    kind = value.get("type")  # the name beside it is the caller's word; what the provider reads is this
    value = gate.judged(f"{place}{kind if isinstance(kind, str) else ''}", value, field)
    if value is not ABSENT:
        _check_addresses(value, gate, f"{field}.json")
    return value


def _check_addresses(value: object, gate: Gate, field: str) -> None:
    """Sources of media anywhere inside. What is nested is bounded before it comes here."""
    if isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind.endswith("url"):  # `url`, and kinds of other servers such as `video_url`
            named = value.get(kind)
            address = named.get("url") if isinstance(named, dict) else named
            if isinstance(address, str):
                gate.address(address, f"{field}.{kind}")
        for key, inner in value.items():
            _check_addresses(inner, gate, f"{field}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_addresses(inner, gate, f"{field}[{index}]")


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects in one; where both have a key that is no object, `over` wins."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def dumped(value: object, field: str = "") -> bytes:
    """JSON text. Lone surrogates and numbers that JSON has no room for do not leave as such."""
    try:
        return orjson.dumps(value)
    except TypeError:
        raise DialectError(field, "expected JSON that UTF-8 and 64-bit numbers can hold") from None


def parsed(json: bytes | str, field: str = "") -> Any:  # noqa: ANN401 (JSON)
    """What JSON text says."""
    try:
        return orjson.loads(json)
    except orjson.JSONDecodeError:
        raise DialectError(field, "expected JSON text") from None
