"""`RuleService`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.policy.v1 import rules_pb2 as pb
from llm_mesh.policy.v1 import rules_pb2_grpc
from llm_mesh_policy.servicer.actors import actor
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_policy.audit.ports import Trail
    from llm_mesh_policy.rules.domain.administration import Administration
    from llm_mesh_policy.rules.domain.applying import Applying
    from llm_mesh_policy.rules.domain.explaining import Explaining
    from llm_mesh_policy.rules.domain.flooring import Flooring

    Context = ServicerContext[Any, Any]


class RuleServicer(rules_pb2_grpc.RuleServiceServicer):
    """Roles, who holds them, and why a decision came out as it did."""

    def __init__(self, rules: Administration, applying: Applying, explaining: Explaining, floors: Flooring, trail: Trail) -> None:
        self._rules = rules
        self._applying = applying
        self._explaining = explaining
        self._floors = floors
        self._trail = trail

    async def PutRole(self, request: pb.PutRoleRequest, context: Context) -> pb.PutRoleResponse:
        done = await self._rules.put_role(actor(), request.role)
        return pb.PutRoleResponse(role=done.value, revision=done.revision)

    async def ListRoles(self, request: pb.ListRolesRequest, context: Context) -> pb.ListRolesResponse:
        roles, token = await self._rules.roles(request.parent, page_of(request, "roles", request.parent))
        return pb.ListRolesResponse(roles=roles, next_page_token=token)

    async def DeleteRole(self, request: pb.DeleteRoleRequest, context: Context) -> pb.DeleteRoleResponse:
        return pb.DeleteRoleResponse(revision=await self._rules.delete_role(actor(), request.name))

    async def CreateBinding(self, request: pb.CreateBindingRequest, context: Context) -> pb.CreateBindingResponse:
        done = await self._rules.create_binding(actor(), request.parent, request.binding_id, request.binding)
        return pb.CreateBindingResponse(binding=done.value, revision=done.revision)

    async def ListBindings(self, request: pb.ListBindingsRequest, context: Context) -> pb.ListBindingsResponse:
        page = page_of(request, "bindings", request.parent, "foreign" if request.foreign else "")
        listed = self._rules.foreign_bindings if request.foreign else self._rules.bindings
        bindings, token = await listed(request.parent, page)
        return pb.ListBindingsResponse(bindings=bindings, next_page_token=token)

    async def AcceptBinding(self, request: pb.AcceptBindingRequest, context: Context) -> pb.AcceptBindingResponse:
        done = await self._rules.accept_binding(actor(), request.name, request.principal)
        return pb.AcceptBindingResponse(binding=done.value, revision=done.revision)

    async def RejectBinding(self, request: pb.RejectBindingRequest, context: Context) -> pb.RejectBindingResponse:
        return pb.RejectBindingResponse(revision=await self._rules.reject_binding(actor(), request.name, request.principal))

    async def DeleteBinding(self, request: pb.DeleteBindingRequest, context: Context) -> pb.DeleteBindingResponse:
        return pb.DeleteBindingResponse(revision=await self._rules.delete_binding(actor(), request.name))

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:
        return await self._explaining.explain(actor(), request)

    async def PutFloor(self, request: pb.PutFloorRequest, context: Context) -> pb.PutFloorResponse:
        done = await self._floors.put(actor(), request.floor)
        return pb.PutFloorResponse(floor=done.value, revision=done.revision)

    async def GetFloor(self, request: pb.GetFloorRequest, context: Context) -> pb.GetFloorResponse:
        return pb.GetFloorResponse(floor=await self._floors.get(request.name))

    async def ListFloors(self, request: pb.ListFloorsRequest, context: Context) -> pb.ListFloorsResponse:
        floors, token = await self._floors.page(page_of(request, "floors"))
        return pb.ListFloorsResponse(floors=floors, next_page_token=token)

    async def DeleteFloor(self, request: pb.DeleteFloorRequest, context: Context) -> pb.DeleteFloorResponse:
        return pb.DeleteFloorResponse(revision=await self._floors.delete(actor(), request.name))

    async def ListAuditRecords(self, request: pb.ListAuditRecordsRequest, context: Context) -> pb.ListAuditRecordsResponse:
        page = page_of(request, "auditRecords", request.parent, request.request_id)
        records, token = await self._rules.audit_records(request.parent, request.request_id, page)
        return pb.ListAuditRecordsResponse(records=records, next_page_token=token)

    async def ExportAuditRecords(self, request: pb.ExportAuditRecordsRequest, context: Context) -> pb.ExportAuditRecordsResponse:
        page = page_of(request, "auditTrail", request.parent, str(request.newest))
        records, token, heads = await self._trail.export(request.parent, page, request.newest)
        return pb.ExportAuditRecordsResponse(records=records, next_page_token=token, heads=heads)

    async def ApplyPolicy(self, request: pb.ApplyPolicyRequest, context: Context) -> pb.ApplyPolicyResponse:
        return await self._applying.apply(actor(), request)
