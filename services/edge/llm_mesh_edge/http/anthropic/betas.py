"""The header `anthropic-beta`. It belongs to what is asked of the provider, so it travels with the body."""

from __future__ import annotations

from typing import Any

from llm_mesh_dialects.errors import DialectError
from llm_mesh_edge.domain.headers import Headers

_FIELD = "anthropic_beta"


def with_betas(body: dict[str, Any], headers: Headers) -> dict[str, Any]:
    """The body, with the header's items as the field that clouds have for them."""
    named = headers.listed(b"anthropic-beta")
    if not named:
        return body
    betas = body.get(_FIELD) or []
    if not isinstance(betas, list):
        raise DialectError(_FIELD, "expected a list")
    return body | {_FIELD: [*named, *(each for each in betas if each not in named)]}
