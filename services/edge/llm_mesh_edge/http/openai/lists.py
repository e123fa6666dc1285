"""Lists in OpenAI's shape, which go on behind the id of the last item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST_LISTED = 1_000
"""Items of one page. Whoever asks for more gets these, and `has_more`."""
LIST_FIELDS = {"page_size": "limit"}


def page_of(data: Sequence[dict[str, Any]], *, more: bool) -> dict[str, object]:
    """The items, the ids of the first and the last, and whether there are more."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": list(data), "first_id": first, "last_id": last, "has_more": more}
