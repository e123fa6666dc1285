"""What another mesh offers to the key of an endpoint, as an operator discovers it."""

from __future__ import annotations

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_mesh.provider.attempts import MeshCalls

_PAGE = 1_000
_MOST_PAGES = 10


async def offers_of(calls: MeshCalls, endpoint: Endpoint) -> adapter_pb2.DiscoverModelsResponse:
    """The aliases that the key may use, at most 10,000, and what the other mesh says of them."""
    response, token = adapter_pb2.DiscoverModelsResponse(), ""
    for _ in range(_MOST_PAGES):
        page = await calls.freely(endpoint, "ListModels", gateway_pb2.ListModelsRequest(page_size=_PAGE, page_token=token))
        for model in page.models:
            response.models.append(model.alias)
            if model.capabilities or model.context_window or model.max_output_tokens:
                response.descriptions.add(
                    model=model.alias,
                    capabilities=model.capabilities,
                    context_window=model.context_window,
                    max_output_tokens=model.max_output_tokens,
                )
        token = page.next_page_token
        if not token:
            break
    return response
