"""The router's RPCs: unpack, one call of the domain, pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_runtime.context import caller
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_router.domain.explanations import Explanations
    from llm_mesh_router.domain.router import Router
    from llm_mesh_router.domain.table import RouteTable

    Context = ServicerContext[Any, Any]


class RouterServicer(router_pb2_grpc.RouterServiceServicer):
    """Planning, and the routes that it goes by."""

    def __init__(self, router: Router, routes: RouteTable, explanations: Explanations) -> None:
        self._router = router
        self._explanations = explanations
        self._routes = routes

    async def Plan(self, request: router_pb2.PlanRequest, context: Context) -> router_pb2.PlanResponse:
        response = router_pb2.PlanResponse()
        response.decision_id = self._router.plan(request.admission, request.profile, response.plan, request.request_id)
        return response

    async def ReportOutcomes(self, request: router_pb2.ReportOutcomesRequest, context: Context) -> router_pb2.ReportOutcomesResponse:
        self._router.note(request.results)
        return router_pb2.ReportOutcomesResponse()

    async def ReportLoads(self, request: router_pb2.ReportLoadsRequest, context: Context) -> router_pb2.ReportLoadsResponse:
        self._router.note_loads(request.loads, request.cache_changes)
        return router_pb2.ReportLoadsResponse()

    async def ListAliases(self, request: router_pb2.ListAliasesRequest, context: Context) -> router_pb2.ListAliasesResponse:
        page = page_of(request, request.domain)
        aliases = await self._router.aliases(request.domain, page.after, page.limit)
        shown, token = page.cut(aliases, key=lambda alias: alias.alias)
        return router_pb2.ListAliasesResponse(aliases=shown, next_page_token=token)

    async def CheckReadiness(self, request: router_pb2.CheckReadinessRequest, context: Context) -> router_pb2.CheckReadinessResponse:
        return router_pb2.CheckReadinessResponse(has_models=self._router.has_models())

    async def ExplainDecision(self, request: router_pb2.ExplainDecisionRequest, context: Context) -> router_pb2.ExplainDecisionResponse:
        return await self._explanations.explain(request.name, request.request_id, caller())

    async def CreateRoute(self, request: router_pb2.CreateRouteRequest, context: Context) -> router_pb2.CreateRouteResponse:
        return router_pb2.CreateRouteResponse(
            route=await self._routes.create(request.parent, request.route_id, request.route, allow_missing=request.allow_missing_targets)
        )

    async def GetRoute(self, request: router_pb2.GetRouteRequest, context: Context) -> router_pb2.GetRouteResponse:
        return router_pb2.GetRouteResponse(route=await self._routes.get(request.name))

    async def ListRoutes(self, request: router_pb2.ListRoutesRequest, context: Context) -> router_pb2.ListRoutesResponse:
        routes, token = await self._routes.page(request.parent, page_of(request, request.parent))
        return router_pb2.ListRoutesResponse(routes=routes, next_page_token=token)

    async def UpdateRoute(self, request: router_pb2.UpdateRouteRequest, context: Context) -> router_pb2.UpdateRouteResponse:
        return router_pb2.UpdateRouteResponse(route=await self._routes.update(request.route, allow_missing=request.allow_missing_targets))

    async def DeleteRoute(self, request: router_pb2.DeleteRouteRequest, context: Context) -> router_pb2.DeleteRouteResponse:
        await self._routes.delete(request.name, request.etag)
        return router_pb2.DeleteRouteResponse()

    async def ApplyRoutes(self, request: router_pb2.ApplyRoutesRequest, context: Context) -> router_pb2.ApplyRoutesResponse:
        return router_pb2.ApplyRoutesResponse(changes=await self._routes.apply(request))
