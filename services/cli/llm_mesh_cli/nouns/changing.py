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


def checked(
    session: Session,
    before: Any,  # noqa: ANN401 (likewise)
    after: Any,  # noqa: ANN401 (likewise)
    *,
    loosens: bool,
    dry_run: bool = False,
) -> resources_pb2.Change | None:
    """The change to make; None where there is nothing to make, which is said. CONFLICT where it loosens a guard and nobody allowed that.

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
    elif dry_run:
        show(session, change)
        session.output.line(
            loosening.NEEDS_FLAG if change.loosens else f"{after.name} would {'be created' if before is None else 'change'}"
        )
    return None if dry_run or change.action == _NOTHING else change


def show(session: Session, change: resources_pb2.Change) -> None:
    """Field by field, what changes or has changed."""
    for field in change.fields:
        session.output.line(f"{loosening.change_text(field)}{loosening.MARK if field.loosens else ''}")


def _mask(paths: Collection[str]) -> FieldMask:
    from google.protobuf.field_mask_pb2 import FieldMask  # noqa: PLC0415 (only changes need it)

    return FieldMask(paths=sorted(paths))
