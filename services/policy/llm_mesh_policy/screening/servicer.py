"""Screening's share of `PolicyService`: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh.policy.v1 import policy_pb2
    from llm_mesh_policy.screening.domain.streams import StreamScreening


class ScreenServicer:
    """`ScreenStream`."""

    def __init__(self, screening: StreamScreening) -> None:
        self._screening = screening

    async def ScreenStream(
        self, request_iterator: AsyncIterator[policy_pb2.ScreenStreamRequest], context: ServicerContext[Any, Any]
    ) -> AsyncIterator[policy_pb2.ScreenStreamResponse]:
        async for response in self._screening.screen(request_iterator):
            yield response
