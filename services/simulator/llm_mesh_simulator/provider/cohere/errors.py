"""Errors in Cohere's dialect: `{"id": …, "message": "…"}`."""

from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.reply import JSON, Headers, Reply

_BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid request: simulated",
    401: "invalid api token",
    403: "you are not allowed to use this model",
    404: "model 'simulated' not found, make sure the correct model ID was used and that you have access to the model.",
    429: "You are past the per minute request limit, please wait and try again later.",
    498: "a blocked token was found in the request",
    500: "internal server error, this has been reported to our developers. simulated",
    503: "the service is overloaded, please try again later",
}
_BY_NAME: Final[Mapping[str, str]] = {
    "context_length": "too many tokens: total number of tokens in the prompt cannot exceed 128000",
    "quota": "You are using a Trial key, which is limited to 1000 API calls / month. Please upgrade to a production key.",
}

STREAM_ERROR: Final = (
    b'event: message-end\ndata: {"type":"message-end","delta":{"error":"simulated: generation failed","finish_reason":"ERROR"}}\n\n'
)


def headers(request: str) -> Headers:
    """What each answer has."""
    return [(b"x-request-id", request.encode()), (b"x-llm-mesh-simulator", b"cohere"), (b"x-api-warning", b"simulated")]


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself."""
    return _reply(error.kind.value, error.message, request)


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    words = _BY_NAME.get(behaviour.error) or _BY_STATUS.get(behaviour.status, f"Simulated status {behaviour.status}.")
    reply = _reply(behaviour.status, words, request)
    if behaviour.retry_after is not None:
        reply.headers.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return reply


def _reply(status: int, words: str, request: str) -> Reply:
    return Reply(status, [*headers(request), JSON], orjson.dumps({"id": request, "message": words}))


class CoherePhrasing:
    """Complaints as Cohere words them."""

    def at(self, path: str, key: str | int) -> str:
        """`messages[0].content`."""
        if isinstance(key, int):
            return f"{path}[{key}]"
        return f"{path}.{key}" if path else key

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        return RefusedError(f"invalid request: {path} is required.")

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        return RefusedError(f"invalid type: parameter {path} is of type {got} but should be {expected}.")
