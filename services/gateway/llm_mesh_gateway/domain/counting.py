"""Counts the input of a request, at the provider that would answer it where that costs nothing."""

from __future__ import annotations

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.gateway import Gateway, Planned, Request
from llm_mesh_gateway.domain.operation import Generation
from llm_mesh_gateway.domain.other_meshes import bounds_of, context_of
from llm_mesh_gateway.domain.ports import Adapters
from llm_mesh_runtime.errors import MeshError


class Counting:
    """Asks the planned targets in order; the strict bound is the answer where none of them counts."""

    def __init__(self, gateway: Gateway, adapters: Adapters) -> None:
        self._gateway = gateway
        self._adapters = adapters

    async def count(self, request: Request, operation: Generation) -> gateway_pb2.CountTokensResponse:
        """The count, who counted, and the routing decision."""
        planned = await self._gateway.prepare(request)
        count = await self._count(request, operation, planned)
        return gateway_pb2.CountTokensResponse(count=count, decision_id=planned.decision_id, screened=planned.admitted.screened)

    async def _count(self, request: Request, operation: Generation, planned: Planned) -> embed_pb2.TokenCount:
        context, admission = context_of(request.options), admission_pb2.Admission.FromString(planned.admission.payload)
        bounds = bounds_of(admission)
        for attempt in planned.attempts:
            try:
                question = adapter_pb2.CountTokensRequest(
                    attempt=attempt, input=operation.input, context=context, bounds=bounds, domain=admission.caller.domain
                )
                return await self._adapters.count(question)
            except MeshError:
                continue  # counting is a courtesy: the next target may do it, and the bound is always there
        bound = max(attempt.max_input_tokens for attempt in planned.attempts)
        if not bound:
            profile = router_pb2.RequestProfile()
            operation.profile(profile, "" if request.options is None else request.options.session)
            bound = profile.input_bytes
        return embed_pb2.TokenCount(input_tokens=bound, source=embed_pb2.COUNT_SOURCE_ESTIMATED)
