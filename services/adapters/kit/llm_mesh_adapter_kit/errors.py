"""The failures of adapters. What a provider said stands in the metadata, escaped and bounded; `sent` says whether it may have begun."""

from __future__ import annotations

import re
from typing import NamedTuple

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError

_LONGEST = 512
_ABOUT_ACCOUNT = frozenset({401, 403})
_ABOUT_REQUEST = frozenset({errors_pb2.ERROR_REASON_PROVIDER_FILTERED, errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED})
_WORD = re.compile(r"[a-z_]{1,64}|[0-9]{3}")
"""A word of a vocabulary, such as `invalid_api_key`; no text."""
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CREDENTIAL = re.compile(r"\b(sk-|Bearer\s+|api[-_ ]key[^:]{0,20}:\s*)[^\s\"',;]{4,}", re.IGNORECASE)


class Said(NamedTuple):
    """What a provider said of a failure, in its own words. Empty where it did not say."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""


NOTHING_SAID = Said()


class AdapterError(MeshError):
    """A failure of an adapter or its provider."""

    reasons = errors_pb2.ErrorReason
    about_account = ""
    """What the provider said about the mesh's account with it: for operators, and no part of what a caller is told."""
    of_one_request = False
    """It says nothing of other requests at the same endpoint: the breaker only learns that the other side answers."""


def escaped(text: str, longest: int = _LONGEST) -> str:
    """Text of a stranger as it may stand in a message: no control characters, no credentials, not long."""
    clean = _UNSAFE.sub(" ", _CREDENTIAL.sub(r"\1***", text[: longest * 2]))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def grant_mismatch(field: str) -> AdapterError:
    """The call is not what was granted."""
    return _about(field, AdapterError(errors_pb2.ERROR_REASON_GRANT_MISMATCH, f"{field} differs from the grant", sent="false"))


def unknown_endpoint(name: str, fault: str = "") -> AdapterError:
    """There is no such endpoint, or it is not used."""
    reason = errors_pb2.ERROR_REASON_UNKNOWN_ENDPOINT
    why = f"endpoint {escaped(name, 64)} is not used: {fault}" if fault else f"there is no endpoint {escaped(name, 64)}"
    return AdapterError(reason, why, endpoint=escaped(name, 64), sent="false")


def no_credential(endpoint: str, why: str) -> AdapterError:
    """Nothing to authenticate with."""
    return AdapterError(errors_pb2.ERROR_REASON_NO_CREDENTIAL, f"endpoint {endpoint}: {why}", endpoint=endpoint, sent="false")


def address_not_allowed(endpoint: str, address: str) -> AdapterError:
    """The endpoint leads where it must not."""
    reason = errors_pb2.ERROR_REASON_ADDRESS_NOT_ALLOWED
    return AdapterError(reason, f"endpoint {endpoint}: {address} is outside of the allowed ranges", endpoint=endpoint, sent="false")


def unreachable(endpoint: str, why: str) -> AdapterError:
    """No connection came about: nothing was sent."""
    reason = errors_pb2.ERROR_REASON_PROVIDER_UNREACHABLE
    return AdapterError(reason, f"endpoint {endpoint} cannot be reached: {escaped(why, 200)}", endpoint=endpoint, sent="false")


def reset(endpoint: str, why: str = "the connection broke off") -> AdapterError:
    """The connection broke after the request was sent, or the answer ended before its end."""
    return AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, f"endpoint {endpoint}: {why}", endpoint=endpoint, sent="true")


def timed_out(endpoint: str, phase: str, seconds: float) -> AdapterError:
    """The provider took too long in a phase."""
    message = f"endpoint {endpoint}: nothing within {seconds:g} s ({phase})"
    sent = "false" if phase == "connect" else "true"
    return AdapterError(errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT, message, endpoint=endpoint, phase=phase, sent=sent)


def malformed(endpoint: str, why: str) -> AdapterError:
    """The answer cannot be understood."""
    reason = errors_pb2.ERROR_REASON_PROVIDER_MALFORMED
    return AdapterError(
        reason, f"endpoint {endpoint} answered what cannot be understood: {escaped(why, 200)}", endpoint=endpoint, sent="true"
    )


def beyond_bounds(endpoint: str, what: str, most: int = 0) -> AdapterError:
    """The answer has far more `content`, or bytes on the `wire`, than was granted. `most`: how many bytes were read, where it is known."""
    bound = f"more than {most} bytes" if most else "more bytes than are read"
    error = malformed(endpoint, bound + (" of content" if what == "content" else ""))
    error.metadata["beyond"] = what
    return error


def fidelity_lost(field: str, note: str) -> AdapterError:
    """Exactness was demanded, and is not to be had."""
    reason = errors_pb2.ERROR_REASON_FIDELITY_LOST
    return _about(field, AdapterError(reason, f"{field} would be lost: {note}", sent="false"))


def extra_not_allowed(field: str, name: str, why: str) -> AdapterError:
    """A key of the dialect would cost more than is reserved, and the endpoint's operator does not allow it."""
    message = f"{field}: {name} is not allowed at this endpoint: {why}"
    return AdapterError(errors_pb2.ERROR_REASON_EXTRA_NOT_ALLOWED, message, field=field, sent="false")


def media_address_not_allowed(field: str, expected: str) -> AdapterError:
    """The address of an image or file is not one to which a provider may be sent."""
    return AdapterError(errors_pb2.ERROR_REASON_MEDIA_ADDRESS_NOT_ALLOWED, f"{field}: {expected}", field=field, sent="false")


def unsupported(endpoint: str, what: str) -> AdapterError:
    """The provider cannot do it."""
    return AdapterError(errors_pb2.ERROR_REASON_UNSUPPORTED, f"endpoint {endpoint} has no {what}", endpoint=endpoint, sent="false")


def answered(
    reason: int, endpoint: str, *, status: int, said: Said = NOTHING_SAID, retry_after: float | None = None, exhausted: bool = False
) -> AdapterError:
    """The provider answered with an error of its own. `exhausted`: a quota is used up, so that repeating is in vain."""
    message = escaped(said.message)
    if reason == errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED or (status in _ABOUT_ACCOUNT and reason not in _ABOUT_REQUEST):
        return _not_admitted(reason, endpoint, status=status, said=said)
    text = f"endpoint {endpoint} answered {status}" + (f": {message}" if message else "") if status else f"endpoint {endpoint}: {message}"
    details = {
        "provider_status": str(status) if status else "",
        "provider_code": escaped(said.code, 128),
        "provider_type": escaped(said.type, 128),
        "provider_param": escaped(said.param, 128),
        "provider_message": message,
        "quota": "exhausted" if exhausted else "",
    }
    error = AdapterError(reason, text, retry_after=retry_after, endpoint=endpoint, sent="true")
    error.metadata |= {key: value for key, value in details.items() if value}
    return error


def _not_admitted(reason: int, endpoint: str, *, status: int, said: Said) -> AdapterError:
    """The caller learns that the mesh is not admitted there, and no more: the rest is about an account that is not theirs."""
    text = f"endpoint {endpoint} does not admit the mesh" + (f" ({status})" if status else "")
    error = AdapterError(reason, text, endpoint=endpoint, sent="true")
    details = {
        "provider_status": str(status) if status else "",
        "provider_code": said.code if _WORD.fullmatch(said.code) else "",
        "provider_type": said.type if _WORD.fullmatch(said.type) else "",
    }
    error.metadata |= {key: value for key, value in details.items() if value}
    error.about_account = escaped(said.message) or "nothing"
    return error


def _about(field: str, error: AdapterError) -> AdapterError:
    error.metadata["field"] = field
    return error
