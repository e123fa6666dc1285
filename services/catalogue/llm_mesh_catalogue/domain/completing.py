"""What an entry of an apply makes of a prompt: the parts that it names, and the others as they stand."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh_catalogue.domain.ports import CurrentPrompt
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import ALL

_CONTENT = ("version.messages", "version.variables_schema_json", "version.note")
_PARTS = ("description", "labels", *_CONTENT)


def completed(
    desired: catalogue_pb2.WantedPrompt, present: CurrentPrompt | None, masks: Mapping[str, FieldMask]
) -> catalogue_pb2.WantedPrompt:
    """The wanted prompt with what it does not name as it stands."""
    named = _named(desired, masks)
    target = catalogue_pb2.WantedPrompt()
    target.CopyFrom(desired)
    if present is None:
        return target
    if "description" not in named:
        target.description = present.prompt.description
    if "labels" not in named:
        del target.labels[:]
    newest = present.newest
    if newest is not None and "version.messages" not in named:
        del target.version.messages[:]
        target.version.messages.extend(newest.messages)
    if newest is not None and "version.variables_schema_json" not in named:
        target.version.variables_schema_json = newest.variables_schema_json
    return target


def _named(desired: catalogue_pb2.WantedPrompt, masks: Mapping[str, FieldMask]) -> set[str]:
    """The parts of a prompt that an entry changes."""
    if desired.name not in masks or not masks[desired.name].paths:
        return {part for part in _PARTS if _is_set(desired, part)}
    named: set[str] = set()
    for path in masks[desired.name].paths:
        parts = _PARTS if path == ALL else _CONTENT if path == "version" else (path,)
        if not set(parts) <= set(_PARTS):
            raise invalid(f"update_masks[{desired.name}]", f"may name version, {', '.join(_PARTS)}, not {path[:64]}")
        named.update(parts)
    return named


def _is_set(desired: catalogue_pb2.WantedPrompt, part: str) -> bool:
    holder, _, name = part.rpartition(".")
    return bool(getattr(desired.version if holder else desired, name))
