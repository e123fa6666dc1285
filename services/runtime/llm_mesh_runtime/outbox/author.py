"""Who makes a change and why, as the present call says."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from llm_mesh_runtime import context
from llm_mesh_runtime.errors import invalid

REASON = "x-llm-mesh-reason"
"""Metadata, or an HTTP header, by which a caller says why: UTF-8, percent-encoded where it is not printable ASCII."""

_LONGEST_REASON = 512
_LONGEST_ENCODED = 3 * _LONGEST_REASON
_EXPECTED = f"must be at most {_LONGEST_REASON} bytes of printable UTF-8, percent-encoded where it is not printable ASCII"


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change."""

    principal: str
    key: str = ""
    request_id: str = ""
    reason: str = ""


def author() -> Author:
    """The author of what the present call changes; INVALID_FIELD where its reason cannot be read."""
    caller = context.caller()
    principal = f"services/{caller.service or 'unknown'}" if caller.kind != "key" else caller.principal
    return Author(principal, caller.key, context.request_id(), reason())


def reason() -> str:
    """Why the present call is made, in the caller's words; empty where it does not say."""
    encoded = context.metadata().get(REASON, "")
    if not encoded:
        return ""
    if not isinstance(encoded, str) or len(encoded) > _LONGEST_ENCODED:
        raise invalid(REASON, _EXPECTED)
    raw = unquote_to_bytes(encoded)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise invalid(REASON, _EXPECTED) from None
    if len(raw) > _LONGEST_REASON or not text.isprintable():
        raise invalid(REASON, _EXPECTED)
    return text
