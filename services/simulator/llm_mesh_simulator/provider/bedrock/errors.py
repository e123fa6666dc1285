"""Errors in Bedrock's dialect: a `message`, and its type in the header `x-amzn-ErrorType`."""

from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.bedrock import frames
from llm_mesh_simulator.provider.bedrock.headers import headers
from llm_mesh_simulator.provider.reply import JSON, Reply

_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("ValidationException", "The simulated request is not valid."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    402: ("ServiceQuotaExceededException", "Your account has exceeded its quota."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."),
    405: ("ValidationException", "Method not allowed."),
    408: ("ModelTimeoutException", "The model took too long."),
    413: ("ValidationException", "Input is too long for requested model."),
    424: ("ModelErrorException", "The model failed."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: ("InternalServerException", "The system encountered an unexpected error during processing. Try your request again."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}
_BY_NAME: Final[Mapping[str, tuple[str, str]]] = {
    "context_length": ("ValidationException", "Input is too long for requested model."),
    "quota": ("ThrottlingException", "Too many tokens per day, please wait before trying again."),
    "overloaded": _TYPES[503],
}
_UNKNOWN: Final = ("InternalServerException", "Simulated error")

STREAM_ERROR: Final = frames.failure(
    "modelStreamErrorException", b'{"message":"Simulated error within the stream","originalStatusCode":500,"originalMessage":"simulated"}'
)


def _reply(status: int, kind: str, message: str, request: str) -> Reply:
    made = [*headers(request), JSON, (b"x-amzn-errortype", kind.encode() + b":http://internal.amazon.com/coral/com.amazon.bedrock/")]
    return Reply(status, made, orjson.dumps({"message": message}))


def refusal(error: RefusedError, request: str) -> Reply:
    """The answer to a request that is wrong in itself."""
    status = error.kind.value
    return _reply(status, _TYPES[status][0], error.message, request)


def failure(behaviour: Behaviour, request: str) -> Reply:
    """The error that a behaviour wants."""
    kind, message = _BY_NAME.get(behaviour.error) or _TYPES.get(behaviour.status, _UNKNOWN)
    made = _reply(behaviour.status, kind, message, request)
    if behaviour.retry_after is not None:
        made.headers.append((b"retry-after", f"{behaviour.retry_after:g}".encode()))
    return made


class BedrockPhrasing:
    """Complaints as AWS words them."""

    def at(self, path: str, key: str | int) -> str:
        """`messages.1.member.content`."""
        if isinstance(key, int):
            return f"{path}.{key + 1}.member"
        return f"{path}.{key}" if path else key

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        constraint = "failed to satisfy constraint: Member must not be null"
        return RefusedError(f"1 validation error detected: Value null at '{path}' {constraint}")

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        return RefusedError(f"The format of the value at '{path}' is not valid: expected {expected}, got {got}")
