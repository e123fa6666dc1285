"""How a resource differs from a wanted state, for dry runs and for people; and etags, which tell states apart."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from typing import Any

from google.protobuf.message import Message

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_runtime.resources.guards import loosens
from llm_mesh_runtime.resources.words import VALUES, value_text

_LONGEST_VALUE = 200
_STAMPS = ("etag", "create_time", "update_time")


def etag_of(message: Message, *, ignore: Collection[str] = _STAMPS) -> str:
    """A tag that differs where the content differs."""
    return _hash(message, ignore).hex()[:16]


def digest_of(resource: Message | None) -> bytes:
    """SHA-256 over a resource without its etag and times; empty where it does not exist."""
    return b"" if resource is None else _hash(resource, _STAMPS)


def _hash(message: Message, ignore: Collection[str]) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    for name in ignore:
        if name in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(name)
    return hashlib.sha256(copy.SerializeToString(deterministic=True)).digest()


def change_of(resource: str, before: Message | None, after: Message, *, ignore: Collection[str] = _STAMPS) -> resources_pb2.Change:
    """The step from one state to another; no state before means a creation."""
    if before is None:
        return resources_pb2.Change(resource=resource, action=resources_pb2.CHANGE_ACTION_CREATE)
    fields = list(_differences(before, after, "", frozenset(ignore)))
    action = resources_pb2.CHANGE_ACTION_UPDATE if fields else resources_pb2.CHANGE_ACTION_NONE
    return resources_pb2.Change(resource=resource, action=action, fields=fields, loosens=any(field.loosens for field in fields))


def _differences(
    before: Message, after: Message, prefix: str, ignore: Collection[str], *, loose: bool = False
) -> Iterator[resources_pb2.FieldChange]:
    """The fields that differ; `loose` where they are of a field that loosens as a whole."""
    for field in after.DESCRIPTOR.fields:
        if field.name in ignore:
            continue
        old, new = getattr(before, field.name), getattr(after, field.name)
        path = prefix + field.name
        differs = old != new or (field.has_presence and before.HasField(field.name) != after.HasField(field.name))
        looser = loose or (differs and loosens(field, before, after))
        if _is_resource(field) and before.HasField(field.name) and after.HasField(field.name):
            yield from _differences(old, new, path + ".", (), loose=looser)
        elif differs:
            shown = _shown(before, field), _shown(after, field)
            yield resources_pb2.FieldChange(path=path, before=shown[0], after=shown[1], loosens=looser)


def _is_resource(field: Any) -> bool:  # noqa: ANN401 (a descriptor, of which protobuf has two kinds)
    """Whether a field has fields of its own, and is not one value such as an amount."""
    return field.message_type is not None and not field.is_repeated and field.message_type.full_name not in VALUES


def _shown(message: Message, field: Any) -> str:  # noqa: ANN401 (likewise)
    """One field in words, cut where it is long; empty where it is unset."""
    if field.has_presence and not message.HasField(field.name):
        return ""
    value = getattr(message, field.name)
    if not field.has_presence and not value:
        return ""
    text = value_text(field, value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
