"""The endpoints of an adapter as operators see them, over whatever wire it reaches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.standing import UnclosedBreakers
from llm_mesh_runtime.resources import page_of


class EndpointList:
    """All endpoints, and how they stand. `refusal` tells what a provider said when it last did not admit the mesh."""

    def __init__(self, table: EndpointTable, lanes: Lanes, standing: UnclosedBreakers, refusal: Callable[[str], str]) -> None:
        self._table = table
        self._lanes = lanes
        self._standing = standing
        self._refusal = refusal

    async def page(self, request: adapter_pb2.ListEndpointsRequest) -> adapter_pb2.ListEndpointsResponse:
        """A page of endpoints, and how they stand."""
        page = page_of(request)
        breakers, silent = await self._standing.of_all()
        listed = [self._shown(endpoint, breakers.get(endpoint.name, ())) for endpoint in self._table if endpoint.name > page.after]
        unused = {name: why for name, why in self._table.faults.items() if not self._table.is_configured(name)}
        listed += [adapter_pb2.Endpoint(name=name, fault=why) for name, why in unused.items() if name > page.after]
        listed.sort(key=lambda endpoint: endpoint.name)
        shown, token = page.cut(listed[: page.limit], key=lambda endpoint: endpoint.name)
        return adapter_pb2.ListEndpointsResponse(
            endpoints=shown,
            next_page_token=token,
            silent_processes=silent,
        )

    def _shown(self, endpoint: Endpoint, breakers: Sequence[adapter_pb2.Breaker]) -> adapter_pb2.Endpoint:
        breaker, in_flight = self._lanes.stand(endpoint.name)
        return adapter_pb2.Endpoint(
            name=endpoint.name,
            provider=endpoint.provider,
            base_url=endpoint.base_url,
            has_credential=endpoint.usable,
            breaker=breaker,
            in_flight=in_flight,
            max_in_flight=endpoint.max_in_flight,
            local=endpoint.local,
            region=endpoint.region,
            refusal=self._refusal(endpoint.name),
            breakers=breakers,
            fault=self._table.faults.get(endpoint.name, ""),
        )
