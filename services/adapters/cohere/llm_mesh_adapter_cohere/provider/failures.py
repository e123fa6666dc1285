"""What the provider says when it fails, as reasons of adapters. It has no codes: words tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects.cohere.answers import complaint
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed

_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"too many tokens|exceeds?\b.{0,60}\b(context|token limit)", errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        (r"model\b.{0,200}\bnot found|no such model", errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
        (r"invalid api (token|key)|no api key", errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (r"content (policy|filter)|blocked (input|output|token)", errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
    )
)
_EXHAUSTED: Final = re.compile(r"calls / month|quota|billing|monthly", re.IGNORECASE)
_BLOCKED_TOKEN: Final = 498
"""A text has a token that the provider blocks."""
_LONGEST: Final = 2_000


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is."""
    try:
        words = complaint(parsed(body)) if body else ""
    except DialectError:
        words = ""  # a proxy's page, most likely
    if status == _BLOCKED_TOKEN:
        return answered(errors_pb2.ERROR_REASON_PROVIDER_FILTERED, endpoint, status=status, said=Said(words))
    exhausted = _EXHAUSTED.search(words[:_LONGEST]) is not None
    return of_status(endpoint, status, headers, Said(words), worded=_worded(words), exhausted=exhausted)


def of_end(endpoint: str, words: str) -> AdapterError:
    """The failure that the end of an answer tells of, whose status was 200."""
    reason = _worded(words) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    return answered(reason, endpoint, status=0, said=Said(words or "the generation failed"))


def _worded(words: str) -> int:
    return next((reason for pattern, reason in _WORDS if pattern.search(words[:_LONGEST])), 0)
