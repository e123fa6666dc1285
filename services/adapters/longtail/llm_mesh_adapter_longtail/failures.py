"""What a library raised, as reasons of adapters: by its status, and by the name of the exception where that says more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, address_not_allowed, answered, unsupported
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_adapter_longtail.child.failing import EGRESS_REFUSED
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.errors import OpenAIErrorBody

_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"ContextWindow|ContextLength|context (length|window)", errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        (r"ContentPolicy|ContentFilter|content (policy|filter)", errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
        (r"model\b.{0,80}\b(not found|does not exist)", errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
        (r"api key (is )?not valid|(invalid|incorrect) api key", errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
    )
)
_EXHAUSTED: Final = re.compile(r"insufficient[_ ]?(quota|funds|balance|credits?)|billing|exceeded your current quota", re.IGNORECASE)
_STATUS: Final = re.compile(r"[45]\d\d")
_NOT_IMPLEMENTED: Final = 501


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is."""
    try:
        complaint = openai.errors.complaint(orjson.loads(body))
    except orjson.JSONDecodeError:
        complaint = OpenAIErrorBody()
    return _of(endpoint, status, headers, complaint)


def of_complaint(endpoint: str, complaint: OpenAIErrorBody) -> AdapterError:
    """A failure in the middle of a stream; its code is a status."""
    if _STATUS.fullmatch(complaint.code):
        return _of(endpoint, int(complaint.code), {}, complaint)
    return answered(_worded(complaint) or errors_pb2.ERROR_REASON_PROVIDER_ERROR, endpoint, status=0, said=_in_words(complaint))


def _of(endpoint: str, status: int, headers: Mapping[str, str], complaint: OpenAIErrorBody) -> AdapterError:
    if complaint.type == EGRESS_REFUSED:
        return address_not_allowed(endpoint, complaint.message.removesuffix(" is not configured")[:200])
    if status == _NOT_IMPLEMENTED:
        return unsupported(endpoint, "such method in the library")
    exhausted = _EXHAUSTED.search(f"{complaint.type} {complaint.message[:2_000]}") is not None
    return of_status(endpoint, status, headers, _in_words(complaint), worded=_worded(complaint), exhausted=exhausted)


def _in_words(complaint: OpenAIErrorBody) -> Said:
    return Said(complaint.message, complaint.type, complaint.type)


def _worded(complaint: OpenAIErrorBody) -> int:
    text = f"{complaint.type} {complaint.message[:2_000]}"
    return next((reason for pattern, reason in _WORDS if pattern.search(text)), 0)
