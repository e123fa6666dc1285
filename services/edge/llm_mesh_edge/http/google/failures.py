"""Failures in Google's shape: `{"error": {"code", "message", "status", "details"}}`, as `google.rpc.Status` is in JSON.

Details tell programs what the message tells people: why, which field, which quota, how long to wait. The mesh's word stands in
`ErrorInfo`, and beside the message as in the other dialects.
"""

from __future__ import annotations

import re

from llm_mesh_dialects.gemini import errors
from llm_mesh_edge.domain.failures import Failure, named, spoken
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.google.names import NAMES

_DOMAIN = "llm-mesh"
_EXHAUSTED = 429
_ITEM = re.compile(r"^(requests\[\d+\])(?:\.text|\.tokens\b.*)$")


def param_of(failure: Failure) -> str:
    """The field that is wrong."""
    return _ITEM.sub(r"\1.content.parts[0].text", named(failure.param, NAMES))


def extras_of(failure: Failure) -> dict[str, object]:
    """What the mesh tells beyond the dialect."""
    extras: dict[str, object] = {"llm_mesh_code": failure.code}
    receipt = failure.receipt()
    return extras | {"llm_mesh": receipt} if receipt or failure.charge is not None else extras


def shape(failure: Failure, headers: Headers) -> dict[str, object]:
    """The body."""
    del headers
    message, field = spoken(failure, param_of(failure)), param_of(failure)
    words = {"provider_code": failure.provider.code, "provider_type": failure.provider.type}
    metadata = {name: word for name, word in words.items() if word}
    details = [errors.error_info(failure.code.upper(), _DOMAIN, metadata)]
    if field:
        details.append(errors.bad_request(field, message))
    if failure.status == _EXHAUSTED:
        details.append(errors.quota_failure(failure.code, message))
    if failure.retry_after is not None:
        details.append(errors.retry_info(failure.retry_after))
    status = errors.status_of(failure.status)
    return errors.body(message, code=failure.status, status=status, details=details, extras=extras_of(failure))
