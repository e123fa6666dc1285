"""Field masks of updates as AIP-134 has them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from llm_mesh_runtime.errors import invalid

M = TypeVar("M", bound=Message)


def masked_update(current: M, wanted: M, mask: FieldMask, *, mutable: Collection[str]) -> M:
    """The current message with the masked fields of the wanted one; an empty mask means every mutable field that is set.

    Masks name top-level fields. A field that is named and unset in `wanted` is cleared.
    """
    paths = list(mask.paths) or [field.name for field, _ in wanted.ListFields() if field.name in mutable]
    updated = type(current)()
    updated.CopyFrom(current)
    for path in paths:
        if path not in mutable:
            raise invalid("update_mask", f"may name {', '.join(sorted(mutable))}, not {path[:64]}")
        updated.ClearField(path)
        picked = type(current)()
        picked.CopyFrom(wanted)
        for other in picked.DESCRIPTOR.fields:
            if other.name != path:
                picked.ClearField(other.name)
        updated.MergeFrom(picked)
    return updated
