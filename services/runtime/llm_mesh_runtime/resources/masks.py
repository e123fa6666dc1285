"""Field masks as AIP-134 and AIP-161 have them: of updates, and of the entries of an apply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from llm_mesh_runtime.errors import invalid

M = TypeVar("M", bound=Message)

ALL = "*"
_WHOLE = frozenset(
    {
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
        "llm_mesh.mesh.v1.Money",
        "llm_mesh.registry.v1.Price",
    }
)
"""Messages that are one value: a path ends at them."""  # fmt: skip


def masked_update(current: M, update: M, mask: FieldMask, *, mutable: Collection[str], field: str = "update_mask") -> M:
    """The current message with the masked fields of the wanted one; an empty mask means every mutable field that is set.

    A field that is named and unset in `update` is cleared. A path may lead into singular messages, such as `service_level.contact`;
    `*` names every mutable field.
    """
    paths = list(mask.paths) or [each.name for each, _ in update.ListFields() if each.name in mutable]
    updated = type(current)()
    updated.CopyFrom(current)
    for path in sorted(mutable) if ALL in paths else paths:
        if path.partition(".")[0] not in mutable or not _put(updated, update, path.split(".")):
            raise invalid(field, f"may name {', '.join(sorted(mutable))}, not {path[:64]}")
    return updated


def applied(current: M | None, update: M, masks: Mapping[str, FieldMask], *, mutable: Collection[str]) -> M:
    """What an entry of an apply makes of a resource: all that it sets where the resource is new, else what its mask names."""
    if current is None:
        return update
    name: str = getattr(update, "name")  # noqa: B009 (every resource has a name, which their common type lacks)
    mask = masks[name] if name in masks else FieldMask()
    return masked_update(current, update, mask, mutable=mutable, field=f"update_masks[{name}]")


def check_masks(masks: Iterable[str], names: Collection[str]) -> None:
    """INVALID_FIELD where a mask is of a resource that is not named: it would change nothing."""
    strange = next((name for name in masks if name not in names), None)
    if strange is not None:
        raise invalid(f"update_masks[{strange[:128]}]", "must be of a resource that the request names")


def _put(updated: Any, update: Any, steps: list[str]) -> bool:  # noqa: ANN401 (a message of any type)
    """Writes one field of the wanted message; False where the path leads nowhere."""
    field = updated.DESCRIPTOR.fields_by_name.get(steps[0])
    if field is None:
        return False
    name = steps[0]
    if len(steps) > 1:
        return is_open(field) and _put(getattr(updated, name), getattr(update, name), steps[1:])
    updated.ClearField(name)
    if field.is_repeated:
        getattr(updated, name).MergeFrom(getattr(update, name))
    elif field.message_type is not None:
        if update.HasField(name):
            getattr(updated, name).CopyFrom(getattr(update, name))
    elif not field.has_presence or update.HasField(name):
        setattr(updated, name, getattr(update, name))
    return True


def is_open(field: Any) -> bool:  # noqa: ANN401 (protobuf has two types of descriptors that share no base)
    """Whether paths lead into a field."""
    return field.message_type is not None and not field.is_repeated and field.message_type.full_name not in _WHOLE
