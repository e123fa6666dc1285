"""What statuses of HTTP mean, the same in every dialect; a dialect looks closer where its bodies say more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, answered, retry_after

_REASONS: Final[Mapping[int, int]] = {
    401: errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    403: errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    404: errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,
    408: errors_pb2.ERROR_REASON_PROVIDER_ERROR,
    409: errors_pb2.ERROR_REASON_PROVIDER_ERROR,
    425: errors_pb2.ERROR_REASON_PROVIDER_ERROR,
    429: errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
}
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


def of_status(
    endpoint: str, status: int, headers: Mapping[str, str], *, reason: int = 0, message: str = "", code: str = ""
) -> AdapterError:
    """The failure that a status stands for, or the given `reason` where the dialect knows better."""
    found = reason or _REASONS.get(status) or _by_class(status)
    return answered(found, endpoint, status=status, message=message, code=code, retry_after=retry_after(headers))


def _by_class(status: int) -> int:
    if status >= _SERVER_ERROR:
        return errors_pb2.ERROR_REASON_PROVIDER_ERROR
    if status >= _CLIENT_ERROR:
        return errors_pb2.ERROR_REASON_PROVIDER_REJECTED
    return errors_pb2.ERROR_REASON_PROVIDER_MALFORMED  # a redirect, which is not followed, or a success of another kind
