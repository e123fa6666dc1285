"""`IdentityService`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.policy.v1 import identity_pb2 as pb
from llm_mesh.policy.v1 import identity_pb2_grpc
from llm_mesh_policy.servicer.actors import actor
from llm_mesh_runtime import context as call
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_policy.identity.domain.bootstrap import Bootstrap
    from llm_mesh_policy.identity.domain.directory import Directory
    from llm_mesh_policy.identity.domain.keyring import Keyring

    Context = ServicerContext[Any, Any]


class IdentityServicer(identity_pb2_grpc.IdentityServiceServicer):
    """Domains, projects, principals and keys."""

    def __init__(self, directory: Directory, keyring: Keyring, bootstrap: Bootstrap) -> None:
        self._directory = directory
        self._keyring = keyring
        self._bootstrap = bootstrap

    async def Bootstrap(self, request: pb.BootstrapRequest, context: Context) -> pb.BootstrapResponse:
        made = await self._bootstrap.make(actor(), request.principal_id)
        return pb.BootstrapResponse(key=made.key.message(), secret=made.credential.text)

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.WhoAmIResponse:
        return pb.WhoAmIResponse(caller=call.caller().message)

    async def CreateDomain(self, request: pb.CreateDomainRequest, context: Context) -> pb.CreateDomainResponse:
        return pb.CreateDomainResponse(domain=await self._directory.create_domain(actor(), request.domain_id, request.domain))

    async def GetDomain(self, request: pb.GetDomainRequest, context: Context) -> pb.GetDomainResponse:
        return pb.GetDomainResponse(domain=await self._directory.domain(request.name))

    async def ListDomains(self, request: pb.ListDomainsRequest, context: Context) -> pb.ListDomainsResponse:
        domains, token = await self._directory.domains(actor(), page_of(request, "domains"))
        return pb.ListDomainsResponse(domains=domains, next_page_token=token)

    async def UpdateDomain(self, request: pb.UpdateDomainRequest, context: Context) -> pb.UpdateDomainResponse:
        return pb.UpdateDomainResponse(domain=await self._directory.update_domain(actor(), request.domain, request.update_mask))

    async def CreateProject(self, request: pb.CreateProjectRequest, context: Context) -> pb.CreateProjectResponse:
        created = await self._directory.create_project(actor(), request.parent, request.project_id, request.project)
        return pb.CreateProjectResponse(project=created)

    async def GetProject(self, request: pb.GetProjectRequest, context: Context) -> pb.GetProjectResponse:
        return pb.GetProjectResponse(project=await self._directory.project(request.name))

    async def ListProjects(self, request: pb.ListProjectsRequest, context: Context) -> pb.ListProjectsResponse:
        projects, token = await self._directory.projects(request.parent, page_of(request, "projects", request.parent))
        return pb.ListProjectsResponse(projects=projects, next_page_token=token)

    async def UpdateProject(self, request: pb.UpdateProjectRequest, context: Context) -> pb.UpdateProjectResponse:
        return pb.UpdateProjectResponse(project=await self._directory.update_project(actor(), request.project, request.update_mask))

    async def CreatePrincipal(self, request: pb.CreatePrincipalRequest, context: Context) -> pb.CreatePrincipalResponse:
        created = await self._directory.create_principal(actor(), request.parent, request.principal_id, request.principal)
        return pb.CreatePrincipalResponse(principal=created)

    async def ListPrincipals(self, request: pb.ListPrincipalsRequest, context: Context) -> pb.ListPrincipalsResponse:
        principals, token = await self._directory.principals(request.parent, page_of(request, "principals", request.parent))
        return pb.ListPrincipalsResponse(principals=principals, next_page_token=token)

    async def UpdatePrincipal(self, request: pb.UpdatePrincipalRequest, context: Context) -> pb.UpdatePrincipalResponse:
        updated = await self._directory.update_principal(actor(), request.principal, request.update_mask)
        return pb.UpdatePrincipalResponse(principal=updated)

    async def CreateKey(self, request: pb.CreateKeyRequest, context: Context) -> pb.CreateKeyResponse:
        made = await self._keyring.create(actor(), request.parent, request.key)
        return pb.CreateKeyResponse(key=made.key.message(), secret=made.credential.text)

    async def GetKey(self, request: pb.GetKeyRequest, context: Context) -> pb.GetKeyResponse:
        return pb.GetKeyResponse(key=(await self._keyring.get(request.name)).message())

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:
        keys, token = await self._keyring.page(request.parent, page_of(request, "keys", request.parent))
        return pb.ListKeysResponse(keys=[key.message() for key in keys], next_page_token=token)

    async def RotateKey(self, request: pb.RotateKeyRequest, context: Context) -> pb.RotateKeyResponse:
        made = await self._keyring.rotate(actor(), request.name, request.grace if request.HasField("grace") else None)
        return pb.RotateKeyResponse(key=made.key.message(), secret=made.credential.text)

    async def RevokeKey(self, request: pb.RevokeKeyRequest, context: Context) -> pb.RevokeKeyResponse:
        done = await self._keyring.revoke(actor(), request.name)
        return pb.RevokeKeyResponse(key=done.value.message(), revision=done.revision)
