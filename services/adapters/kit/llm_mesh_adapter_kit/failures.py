"""What statuses of HTTP mean, the same in every dialect. The status outranks the words of the body.

A dialect says what its words mean; they count only where the status leaves it open. A 500 stays the provider's failure, whatever it
says of keys, and a 429 a limit: both pass, and what is repeated recovers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import NOTHING_SAID, AdapterError, Said, answered
from llm_mesh_adapter_kit.retry_after import retry_after

_ERROR: Final = errors_pb2.ERROR_REASON_PROVIDER_ERROR
_LIMITED: Final = errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
_REJECTED: Final = errors_pb2.ERROR_REASON_PROVIDER_REJECTED
_ACCOUNT: Final = errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED
_NO_MODEL: Final = errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND
_TOO_LONG: Final = errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED
_FILTERED: Final = errors_pb2.ERROR_REASON_PROVIDER_FILTERED
_REASONS: Final[Mapping[int, int]] = {
    401: _ACCOUNT,
    402: _LIMITED,  # no balance left
    403: _ACCOUNT,
    404: _NO_MODEL,
    408: _ERROR,
    409: _ERROR,
    413: _TOO_LONG,
    424: _ERROR,  # Bedrock: the model failed behind the service
    425: _ERROR,
    429: _LIMITED,
    498: _ERROR,  # Groq: no capacity
}
_ABOUT_THE_REQUEST: Final = frozenset({_TOO_LONG, _FILTERED, _NO_MODEL, _REJECTED})
_OPEN: Final[Mapping[int, frozenset[int]]] = {
    400: _ABOUT_THE_REQUEST | {_ACCOUNT, _LIMITED},  # Gemini: an invalid key; Anthropic: no credit
    403: frozenset({_FILTERED, _NO_MODEL}),
    404: _ABOUT_THE_REQUEST,
    413: frozenset({_TOO_LONG}),
    422: _ABOUT_THE_REQUEST,
}
"""What words may mean beside a status. All other statuses say enough."""
_NO_BALANCE = 402
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


def of_status(
    endpoint: str, status: int, headers: Mapping[str, str], said: Said = NOTHING_SAID, *, worded: int = 0, exhausted: bool = False
) -> AdapterError:
    """The failure that a status stands for. `worded`: what the body's words mean, `exhausted` that they tell of a used-up quota."""
    reason = worded if worded in _OPEN.get(status, ()) else _REASONS.get(status) or _by_class(status)
    spent = reason == _LIMITED and (exhausted or status in {_NO_BALANCE, _CLIENT_ERROR})
    return answered(reason, endpoint, status=status, said=said, retry_after=retry_after(headers, status), exhausted=spent)


def _by_class(status: int) -> int:
    if status >= _SERVER_ERROR:
        return _ERROR
    if status >= _CLIENT_ERROR:
        return _REJECTED
    return errors_pb2.ERROR_REASON_PROVIDER_MALFORMED  # a redirect, which is not followed, or a success of another kind
