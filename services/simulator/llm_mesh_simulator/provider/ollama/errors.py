"""Errors in Ollama's dialect: `{"error": "…"}`, and nothing else."""

from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.reply import JSON, Headers, Reply

_BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid options: simulated",
    401: "unauthorized",
    403: "forbidden",
    404: "model 'simulated' not found",
    429: "too many requests",
    500: "llama runner process has terminated: simulated",
    503: "server busy, please try again.  maximum pending requests exceeded",
}
_BY_NAME: Final[Mapping[str, str]] = {
    "context_length": "the input length exceeds the context length",
    "quota": "you have reached your weekly usage limit",
}

STREAM_ERROR: Final = orjson.dumps({"error": _BY_STATUS[500]}) + b"\n"


def headers(request: str) -> Headers:
    """What each answer has; the server itself names no request."""
    return [(b"x-llm-mesh-simulator", b"ollama"), (b"x-request-id", request.encode())]


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself."""
    return Reply(error.kind.value, [*headers(request), JSON], orjson.dumps({"error": error.message}))


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    words = _BY_NAME.get(behaviour.error) or _BY_STATUS.get(behaviour.status, f"Simulated status {behaviour.status}.")
    made = [*headers(request), JSON]
    if behaviour.retry_after is not None:
        made.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return Reply(behaviour.status, made, orjson.dumps({"error": words}))


class OllamaPhrasing:
    """Complaints as a server in Go words them."""

    def at(self, path: str, key: str | int) -> str:
        """`messages.0.content`."""
        return f"{path}.{key}" if path else str(key)

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        return RefusedError(f"{path} is required")

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        return RefusedError(f"json: cannot unmarshal {got} into field {path}: expected {expected}")
