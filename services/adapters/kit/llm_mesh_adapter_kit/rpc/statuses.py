"""What statuses of gRPC mean: what the status of HTTP does that google.rpc.Code gives each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from llm_mesh_adapter_kit.errors import AdapterError, Said, beyond_bounds, malformed, unsupported
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_adapter_kit.framing import Frame, FramingError
from llm_mesh_adapter_kit.rpc.framing import TRAILERS, RpcStatus, frames_of, status_of

T = TypeVar("T")
NAMES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    "UNAUTHENTICATED",
)  # fmt: skip
"""By code."""
_HTTP: Final = (200, 500, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401)
UNIMPLEMENTED: Final = 12
EXHAUSTED: Final = 8
STATUS: Final = "grpc-status"
_LARGER: Final = "larger than max"
_LARGER_ANSWER: Final = f"CLIENT: Received message {_LARGER}"
TOO_MUCH: Final = RpcStatus(EXHAUSTED, f"{_LARGER_ANSWER} (all of them together)")
"""The end of an answer that we read no further, in the words of gRPC itself."""
_TOO_LARGE: Final = 413
_NONE: Final[Mapping[str, str]] = {}


def http_status(code: int) -> int:
    """The status of HTTP that stands for a code; that of UNKNOWN for codes that nobody knows."""
    return _HTTP[code] if 0 <= code < len(_HTTP) else _HTTP[2]


def failure_of(endpoint: str, status: RpcStatus, *, worded: int = 0) -> AdapterError:
    """The failure that a call's status is. `worded`: what its message means, which counts where the status leaves it open."""
    if status.code == UNIMPLEMENTED:
        return unsupported(endpoint, f"such method: {status.message}" if status.message else "such method")
    if _LARGER_ANSWER in status.message:  # said by our own side
        return beyond_bounds(endpoint, "wire")
    name = NAMES[status.code] if 0 <= status.code < len(NAMES) else ""
    too_large = status.code == EXHAUSTED and _LARGER in status.message  # our request, and no limit of a rate
    return of_status(endpoint, _TOO_LARGE if too_large else http_status(status.code), _NONE, Said(status.message, code=name), worded=worded)


def refusal_of(endpoint: str, headers: Mapping[str, str], body: bytes, failure: Callable[[str, RpcStatus], AdapterError]) -> AdapterError:
    """What a call means that failed before its first message."""
    code = headers.get(STATUS, "")
    if not code.isdecimal():
        return malformed(endpoint, "it is no answer of gRPC")
    try:
        only_message(endpoint, body, failure)
    except AdapterError as error:
        return error
    return failure(endpoint, RpcStatus(int(code)))


def messages_of(endpoint: str, body: bytes, failure: Callable[[str, RpcStatus], AdapterError]) -> list[bytes]:
    """The messages of a whole answer; its failure where it ended in one."""
    try:
        frames = frames_of(body)
    except FramingError as error:
        raise malformed(endpoint, str(error)) from None
    return [checked(endpoint, frame, failure) for frame in frames]


def checked(endpoint: str, frame: Frame, failure: Callable[[str, RpcStatus], AdapterError]) -> bytes:
    """The message of a frame; the failure that it tells of where it is the end of a call."""
    data, kind = frame
    if kind == TRAILERS:
        raise failure(endpoint, status_of(data))
    return data


def only_message(endpoint: str, body: bytes, failure: Callable[[str, RpcStatus], AdapterError]) -> bytes:
    """The message of a call that has one answer."""
    messages = messages_of(endpoint, body, failure)
    if len(messages) != 1:
        raise malformed(endpoint, f"{len(messages)} messages where one was expected")
    return messages[0]
