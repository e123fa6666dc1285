"""Changes that loosen a guard: how they are shown, and that they need `--allow-loosening`."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_figures.money import text

_RATE = "_nanos_per_million"
MARK = "   loosens a guard"
NEEDS_FLAG = "this needs --allow-loosening"


def change_text(field: resources_pb2.FieldChange) -> str:
    """A field, what it was, and what it becomes. A price is what it is per million tokens, as files have it."""
    path, values = field.path, (field.before, field.after)
    if path.endswith(_RATE) and all(value.isdecimal() or not value for value in values):
        path, values = path.removesuffix(_RATE), (_per_million(field.before), _per_million(field.after))
    before, after = (value or "(unset)" for value in values)
    return f"{path}: {before} → {after}"


def _per_million(nanos: str) -> str:
    return f"{text(int(nanos), '')} per million" if nanos else ""


def refused(changes: Iterable[resources_pb2.Change]) -> CommandError:
    """Says which guards would be loosened."""
    lines = ["this loosens guards, and nothing was changed; if that is meant, repeat it with --allow-loosening"]
    for change in changes:
        fields = [change_text(field) for field in change.fields if field.loosens]
        lines += [f"{change.resource}: {each}" for each in fields or ["deleted"]]
    return CommandError("\n  ".join(lines), Exit.CONFLICT)
