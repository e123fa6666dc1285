"""Errors in the Anthropic dialect: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.anthropic.headers import headers
from llm_mesh_simulator.provider.reply import JSON, Reply

_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "messages: simulated invalid request"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: simulated"),
    405: ("invalid_request_error", "Method Not Allowed"),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
_BY_NAME: Final[Mapping[str, tuple[str, str]]] = {
    "context_length": ("invalid_request_error", "prompt is too long: 209000 tokens > 200000 maximum"),
    "quota": ("rate_limit_error", "You have reached your specified API usage limits."),
    "overloaded": _TYPES[529],
}
_UNKNOWN: Final = ("api_error", "Simulated error")

STREAM_ERROR: Final = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


def _body(kind: str, message: str, request: str) -> bytes:
    return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": request})


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself."""
    status = error.kind.value
    return Reply(status, [*headers(request), JSON], _body(_TYPES[status][0], error.message, request))


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    kind, message = _BY_NAME.get(behaviour.error) or _TYPES.get(behaviour.status, _UNKNOWN)
    limited = behaviour.status == 429  # noqa: PLR2004  too many requests
    made = [*headers(request, limited=limited), JSON]
    if behaviour.retry_after is not None:
        made.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return Reply(behaviour.status, made, _body(kind, message, request))


class AnthropicPhrasing:
    """Complaints as Anthropic words them."""

    def at(self, path: str, key: str | int) -> str:
        """`messages.0.content`."""
        return f"{path}.{key}" if path else str(key)

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        return RefusedError(f"{path}: Field required")

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:  # noqa: ARG002  Anthropic does not say what it got
        """A field has a wrong type."""
        article, _, kind = expected.partition(" ")
        return RefusedError(f"{path}: Input should be {article} valid {kind}")
