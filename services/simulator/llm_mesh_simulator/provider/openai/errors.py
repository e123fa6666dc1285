"""Errors in the OpenAI dialect: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.reply import JSON, Reply


@dataclass(frozen=True, slots=True)
class _Error:
    message: str
    type: str
    code: str | None = None
    param: str | None = None

    def body(self) -> bytes:
        return orjson.dumps({"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}})


_REFUSALS: Final[Mapping[RefusalKind, str]] = {
    RefusalKind.INVALID: "invalid_request_error",
    RefusalKind.AUTHENTICATION: "invalid_request_error",
    RefusalKind.PERMISSION: "invalid_request_error",
    RefusalKind.NOT_FOUND: "invalid_request_error",
    RefusalKind.METHOD: "invalid_request_error",
    RefusalKind.TOO_LARGE: "invalid_request_error",
}
_BY_STATUS: Final[Mapping[int, _Error]] = {
    400: _Error("Invalid value: simulated.", "invalid_request_error", "invalid_value", "messages"),
    401: _Error("Incorrect API key provided: simulated. You can find your API key in the simulator.", "invalid_request_error",
                "invalid_api_key"),
    403: _Error("Your project does not have access to this model.", "invalid_request_error", "model_not_found"),
    404: _Error("The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found", "model"),
    429: _Error("Rate limit reached for requests per minute. Please try again later.", "requests", "rate_limit_exceeded"),
    500: _Error("The server had an error while processing your request. Sorry about that!", "server_error"),
    503: _Error("The engine is currently overloaded, please try again later.", "service_unavailable_error"),
}  # fmt: skip
_BY_NAME: Final[Mapping[str, _Error]] = {
    "context_length": _Error(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
        "Please reduce the length of the messages.", "invalid_request_error", "context_length_exceeded", "messages"),
    "quota": _Error("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota",
                    "insufficient_quota"),
}  # fmt: skip

STREAM_ERROR: Final = b"data: " + _BY_STATUS[500].body() + b"\n\n"


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself."""
    body = _Error(error.message, _REFUSALS[error.kind], error.code, error.param).body()
    return Reply(error.kind.value, [*headers(request), JSON], body)


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    named = _BY_NAME.get(behaviour.error) or _BY_STATUS.get(behaviour.status)
    error = named or _Error(f"Simulated status {behaviour.status}.", "server_error")
    limited = behaviour.status == 429  # noqa: PLR2004  too many requests
    made = [*headers(request, limited=limited), JSON]
    if behaviour.retry_after is not None:
        made.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return Reply(behaviour.status, made, error.body())


class OpenAIPhrasing:
    """Complaints as OpenAI words them."""

    def at(self, path: str, key: str | int) -> str:
        """`messages[0].content`."""
        if isinstance(key, int):
            return f"{path}[{key}]"
        return f"{path}.{key}" if path else key

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        return RefusedError(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
        return RefusedError(message, param=path, code="invalid_type")
