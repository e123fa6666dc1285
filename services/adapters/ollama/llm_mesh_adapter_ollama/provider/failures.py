"""What servers of the dialect say when they fail, as reasons of adapters. They have no codes: words tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.ollama.errors import complaint

_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"exceeds?\b.{0,40}\bcontext|context (length|window)\b", errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        (r"model\b.{0,200}\bnot found|no such model", errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
        (r"\bunauthorized\b|invalid api key", errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (r"usage limit|rate limit|too many requests", errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED),
        (r"does not support|invalid (option|format|value)", errors_pb2.ERROR_REASON_PROVIDER_REJECTED),
    )
)
_EXHAUSTED: Final = re.compile(r"usage limit|quota|billing", re.IGNORECASE)
_LONGEST: Final = 2_000


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is."""
    try:
        words = complaint(parsed(body)) if body else ""
    except DialectError:
        words = ""  # a proxy's page, most likely
    return of_status(endpoint, status, headers, Said(words), worded=_worded(words), exhausted=_exhausted(words))


def of_line(endpoint: str, words: str) -> AdapterError:
    """The failure that a line of a stream, or a body with status 200, tells of."""
    reason = _worded(words) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    return answered(reason, endpoint, status=0, said=Said(words), exhausted=_exhausted(words))


def _worded(words: str) -> int:
    return next((reason for pattern, reason in _WORDS if pattern.search(words[:_LONGEST])), 0)


def _exhausted(words: str) -> bool:
    return _EXHAUSTED.search(words[:_LONGEST]) is not None
