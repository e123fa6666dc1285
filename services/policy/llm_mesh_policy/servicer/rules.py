"""`RuleService`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.policy.v1 import rules_pb2 as pb
from llm_mesh.policy.v1 import rules_pb2_grpc
from llm_mesh_policy.servicer.actors import actor
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_policy.domain.rules.administration import Administration
    from llm_mesh_policy.domain.rules.applying import Applying
    from llm_mesh_policy.domain.trail import Trail

    Context = ServicerContext[Any, Any]


class RuleServicer(rules_pb2_grpc.RuleServiceServicer):
    """Roles, who holds them, and why a decision came out as it did."""

    def __init__(self, rules: Administration, applying: Applying, trail: Trail) -> None:
        self._rules = rules
        self._applying = applying
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
        bindings, token = await self._rules.bindings(request.parent, page_of(request, "bindings", request.parent))
        return pb.ListBindingsResponse(bindings=bindings, next_page_token=token)

    async def DeleteBinding(self, request: pb.DeleteBindingRequest, context: Context) -> pb.DeleteBindingResponse:
        return pb.DeleteBindingResponse(revision=await self._rules.delete_binding(actor(), request.name))

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:
        return await self._rules.explain(request)

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
