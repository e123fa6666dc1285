"""Changes that loosen a guard: how they are shown, and that they need `--allow-loosening`."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli.failures import CommandError, Exit

MARK = "   loosens a guard"
NEEDS_FLAG = "this needs --allow-loosening"


def change_text(field: resources_pb2.FieldChange) -> str:
    """What a field was, and what it becomes."""
    return f"{field.before or '(unset)'} → {field.after or '(unset)'}"


def refused(changes: Iterable[resources_pb2.Change]) -> CommandError:
    """Says which guards would be loosened."""
    lines = ["this loosens guards, and nothing was changed; if that is meant, repeat it with --allow-loosening"]
    for change in changes:
        fields = [f"{field.path}: {change_text(field)}" for field in change.fields if field.loosens]
        lines += [f"{change.resource}: {text}" for text in fields or ["deleted"]]
    return CommandError("\n  ".join(lines), Exit.CONFLICT)
