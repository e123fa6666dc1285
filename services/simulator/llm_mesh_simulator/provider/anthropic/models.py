"""The list of models in the Anthropic dialect: each named behaviour is a model."""

from collections.abc import Mapping, Sequence
from typing import Final

from llm_mesh_simulator.domain.errors import RefusedError

_CREATED: Final = "2025-01-01T00:00:00Z"
_MAX_LIMIT: Final = 1000


def model(identity: str) -> dict[str, object]:
    return {
        "type": "model",
        "id": identity,
        "display_name": f"Simulator: {identity.removeprefix('sim-')}",
        "created_at": _CREATED,
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


def models(identities: Sequence[str], query: Mapping[str, str]) -> dict[str, object]:
    """One page of models, after or before the id that the query names."""
    limit = query.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= _MAX_LIMIT:
        raise RefusedError(f"limit: Input should be a number from 1 to {_MAX_LIMIT}")
    after, before, size = query.get("after_id"), query.get("before_id"), int(limit)
    start, end = 0, len(identities)
    if after in identities:
        start = identities.index(after) + 1
    if before in identities:
        end = identities.index(before)
        start = max(start, end - size)
    page = identities[start : min(end, start + size)]
    return {
        "data": [model(each) for each in page],
        "has_more": start > 0 if before in identities else start + size < end,
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }
