"""The models that a caller may ask for: the aliases of its domain, as the router resolves them.

A key may be bound to fewer models than its domain sees. Policy tells so when a model is asked for; asking it about every alias here
would cost one admission each.
"""

from __future__ import annotations

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.ports import RoutePlanner
from llm_mesh_runtime.errors import RuntimeFault


class Listing:
    """Asks the router."""

    def __init__(self, router: RoutePlanner) -> None:
        self._router = router

    async def models(self, domain: str, request: gateway_pb2.ListModelsRequest) -> gateway_pb2.ListModelsResponse:
        """One page of models."""
        if not domain:
            raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "the call names nobody whose models could be listed")
        page = await self._router.aliases(
            router_pb2.ListAliasesRequest(domain=domain, page_size=request.page_size, page_token=request.page_token)
        )
        return gateway_pb2.ListModelsResponse(models=map(_summary, page.aliases), next_page_token=page.next_page_token)


def _summary(alias: router_pb2.Alias) -> gateway_pb2.ModelSummary:
    return gateway_pb2.ModelSummary(
        alias=alias.alias,
        owner=alias.owner,
        created=alias.create_time.seconds,
        capabilities=alias.capabilities,
        context_window=alias.context_window,
        max_output_tokens=alias.max_output_tokens,
    )
