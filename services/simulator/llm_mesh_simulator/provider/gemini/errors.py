"""Errors in the Gemini dialect: a `google.rpc.Status` in JSON."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.gemini.headers import headers
from llm_mesh_simulator.provider.reply import JSON, Reply

_TYPE: Final = "type.googleapis.com/google.rpc."
_STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "models/simulated is not found for API version v1, or is not supported for generateContent."),
    405: ("UNIMPLEMENTED", "Method not allowed"),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    529: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
}
_UNKNOWN: Final = ("UNKNOWN", "Simulated error")
_CONTEXT: Final = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
_QUOTA: Final = "You exceeded your current quota, please check your plan and billing details."
_BAD_KEY: Final = "API key not valid. Please pass a valid API key."
_LIMITED: Final = 429


def body(status: int, code: str, message: str, details: Sequence[Mapping[str, object]] = ()) -> bytes:
    """One error."""
    error: dict[str, object] = {"code": status, "message": message, "status": code}
    if details:
        error["details"] = list(details)
    return orjson.dumps({"error": error})


STREAM_ERROR: Final = body(503, *_STATUSES[503])


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself. The provider says of a wrong key that the argument is."""
    status = error.kind.value
    if error.code == "invalid_api_key":
        info = {"@type": _TYPE + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return Reply(400, [*headers(request), JSON], body(400, "INVALID_ARGUMENT", _BAD_KEY, [info]))
    details = [{"@type": _TYPE + "BadRequest", "fieldViolations": [{"field": error.param}]}] if error.param else []
    return Reply(status, [*headers(request), JSON], body(status, _STATUSES[status][0], error.message, details))


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    code, message = _STATUSES.get(behaviour.status, _UNKNOWN)
    message = {"context_length": _CONTEXT, "quota": _QUOTA}.get(behaviour.error, message)
    details: list[Mapping[str, object]] = []
    if behaviour.error == "quota":
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
        details.append({"@type": _TYPE + "QuotaFailure", "violations": [violation]})
    if behaviour.retry_after is not None and behaviour.status == _LIMITED:  # which the provider says here, and in no header
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{behaviour.retry_after:g}s"})
    made = [*headers(request), JSON]
    if behaviour.retry_after is not None and behaviour.status != _LIMITED:
        made.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return Reply(behaviour.status, made, body(behaviour.status, code, message, details))


class GeminiPhrasing:
    """Complaints as Google words them."""

    def at(self, path: str, key: str | int) -> str:
        """`contents[0].parts`."""
        if isinstance(key, int):
            return f"{path}[{key}]"
        return f"{path}.{key}" if path else key

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        return RefusedError(f"* GenerateContentRequest.{path}: must be specified", param=path)

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        return RefusedError(f"Invalid value at '{path}': expected {expected}, not {got}", param=path)
