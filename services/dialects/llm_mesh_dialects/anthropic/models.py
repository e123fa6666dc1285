"""Lists of models, for clients of the dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_UNKNOWN: Final = "1970-01-01T00:00:00Z"


def model(identity: str, *, created_at: str = _UNKNOWN) -> dict[str, Any]:
    """One model, by the name under which a client asks for it."""
    return {"type": "model", "id": identity, "display_name": identity, "created_at": created_at}


def page(models: Sequence[dict[str, Any]], *, has_more: bool = False) -> dict[str, Any]:
    """The answer to `GET /v1/models`."""
    return {
        "data": list(models),
        "has_more": has_more,
        "first_id": models[0]["id"] if models else None,
        "last_id": models[-1]["id"] if models else None,
    }
