"""Names of models in the path of an address. A domain names its own models, so a name must not lead to another place than a model's."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from llm_mesh_runtime.errors import invalid

_SEGMENTS: Final = re.compile(r"[/\\]")
_LEAVING: Final = frozenset({".", ".."})


def in_path(model: str, *, safe: str = "") -> str:
    """The name, encoded for a path but for the characters in `safe`. Raises INVALID_FIELD where a segment of it is `.` or `..`.

    Slashes count as such however they are encoded: servers decode a path before they resolve it.
    """
    if "." in model and not _LEAVING.isdisjoint(_SEGMENTS.split(model)):
        raise invalid("attempt.upstream_model", "expected the name of a model without a segment that is . or ..", sent="false")
    return quote(model, safe=safe)
