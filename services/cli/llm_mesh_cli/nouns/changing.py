"""Changes of one resource: only the named fields, shown field by field, and a loosened guard only where that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli import loosening
from llm_mesh_cli.apply.filling import OUTPUT_ONLY
from llm_mesh_cli.output import as_dict
from llm_mesh_runtime.resources import change_of, masked_update

if TYPE_CHECKING:
    from collections.abc import Collection

    from google.protobuf.field_mask_pb2 import FieldMask

    from llm_mesh_cli.session import Session

_NOTHING = resources_pb2.CHANGE_ACTION_NONE


def masked(before: Any, message: Any, paths: Collection[str]) -> Any:  # noqa: ANN401 (a resource of any type)
    """The resource with the named fields of another."""
    return masked_update(before, message, _mask(paths), mutable={path.partition(".")[0] for path in paths}) if paths else before


def checked(session: Session, before: Any, after: Any, *, loosens: bool, dry_run: bool = False) -> bool:  # noqa: ANN401 (likewise)
    """Whether there is something to change, which is shown to people; CONFLICT where it loosens a guard and nobody allowed that.

    `before` None: the resource is new, which loosens nothing.
    """
    change = change_of(after.name, before, after, ignore=OUTPUT_ONLY)
    if change.loosens and not (loosens or dry_run):
        raise loosening.refused([change])
    if dry_run and session.output.as_json:
        session.output.data({"dryRun": True, "changes": [as_dict(change)]})
    elif change.action == _NOTHING:
        if session.output.as_json:
            session.output.message(after)
        session.output.line(f"{after.name} is as it should be")
    else:
        for field in change.fields:
            session.output.line(f"{loosening.change_text(field)}{loosening.MARK if field.loosens else ''}")
        if dry_run and change.loosens:
            session.output.line(loosening.NEEDS_FLAG)
    return change.action != _NOTHING and not dry_run


def _mask(paths: Collection[str]) -> FieldMask:
    from google.protobuf.field_mask_pb2 import FieldMask  # noqa: PLC0415 (only changes need it)

    return FieldMask(paths=sorted(paths))
