"""Whether a provider answers and admits the mesh, found out by a call that costs nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, no_credential
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_runtime.errors import invalid

_USUAL = 5.0
_LONGEST = 30.0
_OK = 200
_INCONCLUSIVE: Final = frozenset(
    {
        errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
        errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
        errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,
    }
)
"""It answers, and says nothing of the credential: it is busy, or has no such list."""


CheapestCall = Callable[[Endpoint, Limits], Awaitable[object]]
"""Makes the cheapest call that an endpoint only answers to whom it admits. Raises `AdapterError`."""


class Checking:
    """Checks endpoints, over whatever wire they are reached."""

    def __init__(self, ask: CheapestCall) -> None:
        self._ask = ask

    async def check(self, endpoint: Endpoint, request: adapter_pb2.CheckEndpointRequest) -> adapter_pb2.CheckEndpointResponse:
        """How the endpoint answers."""
        limits = _limits(request)
        if not endpoint.usable:
            raise no_credential(endpoint.name, "it has no credential")
        begun = time.monotonic()
        response = adapter_pb2.CheckEndpointResponse()
        try:
            await self._ask(endpoint, limits)
        except AdapterError as error:
            _tell(error, response)
        else:
            response.result, response.status = adapter_pb2.CHECK_RESULT_ADMITTED, _OK
        if response.status:
            response.duration.FromMicroseconds(int((time.monotonic() - begun) * 1e6))
        return response


def _limits(request: adapter_pb2.CheckEndpointRequest) -> Limits:
    seconds = request.timeout.ToMicroseconds() / 1e6 if request.HasField("timeout") else _USUAL
    if not 0 < seconds <= _LONGEST:
        raise invalid("timeout", f"must be above 0 s and at most {_LONGEST:g} s")
    return Limits(connect=seconds, first_token=seconds, idle=seconds, total=seconds)


def _tell(error: AdapterError, response: adapter_pb2.CheckEndpointResponse) -> None:
    response.status = int(error.metadata.get("provider_status") or 0)
    response.message = error.message + (f": {error.about_account}" if error.about_account else "")
    if error.reason == errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED:
        response.result = adapter_pb2.CHECK_RESULT_REFUSED
    elif error.reason in _INCONCLUSIVE:
        response.result = adapter_pb2.CHECK_RESULT_ANSWERED
        return
    else:
        response.result = adapter_pb2.CHECK_RESULT_FAILED
    response.reason = error.reason_name
