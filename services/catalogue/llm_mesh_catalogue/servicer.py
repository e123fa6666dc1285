"""The catalogue's RPCs: unpack, one call of the domain, pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh_runtime.context import caller
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_catalogue.domain.catalogue import Catalogue

    Context = ServicerContext[Any, Any]


class CatalogueServicer(catalogue_pb2_grpc.CatalogueServiceServicer):
    """Prompts, their versions and their rendering."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def CreatePrompt(self, request: catalogue_pb2.CreatePromptRequest, context: Context) -> catalogue_pb2.CreatePromptResponse:
        return catalogue_pb2.CreatePromptResponse(prompt=await self._catalogue.create(request.parent, request.prompt_id, request.prompt))

    async def GetPrompt(self, request: catalogue_pb2.GetPromptRequest, context: Context) -> catalogue_pb2.GetPromptResponse:
        return catalogue_pb2.GetPromptResponse(prompt=await self._catalogue.get(request.name))

    async def ListPrompts(self, request: catalogue_pb2.ListPromptsRequest, context: Context) -> catalogue_pb2.ListPromptsResponse:
        prompts, token = await self._catalogue.page(request.parent, page_of(request, request.parent))
        return catalogue_pb2.ListPromptsResponse(prompts=prompts, next_page_token=token)

    async def UpdatePrompt(self, request: catalogue_pb2.UpdatePromptRequest, context: Context) -> catalogue_pb2.UpdatePromptResponse:
        return catalogue_pb2.UpdatePromptResponse(prompt=await self._catalogue.update(request))

    async def CreateVersion(self, request: catalogue_pb2.CreateVersionRequest, context: Context) -> catalogue_pb2.CreateVersionResponse:
        return catalogue_pb2.CreateVersionResponse(version=await self._catalogue.add_version(request, caller().principal))

    async def GetVersion(self, request: catalogue_pb2.GetVersionRequest, context: Context) -> catalogue_pb2.GetVersionResponse:
        return catalogue_pb2.GetVersionResponse(version=await self._catalogue.version(request.name))

    async def ListVersions(self, request: catalogue_pb2.ListVersionsRequest, context: Context) -> catalogue_pb2.ListVersionsResponse:
        versions, token = await self._catalogue.versions(request.parent, page_of(request, request.parent))
        return catalogue_pb2.ListVersionsResponse(versions=versions, next_page_token=token)

    async def DiffVersions(self, request: catalogue_pb2.DiffVersionsRequest, context: Context) -> catalogue_pb2.DiffVersionsResponse:
        diff = await self._catalogue.diff(request.name, request.from_number, request.to_number)
        return catalogue_pb2.DiffVersionsResponse(diff=diff)

    async def Render(self, request: catalogue_pb2.RenderRequest, context: Context) -> catalogue_pb2.RenderResponse:
        asking = caller()
        if asking.kind == "service":  # it asks for a request of the domain, and policy was asked nothing about the prompt here
            messages, version = await self._catalogue.render(request.domain, request)
        else:
            messages, version = await self._catalogue.render(asking.domain, request, foreign=True)
        return catalogue_pb2.RenderResponse(messages=messages, version=version)

    async def ApplyPrompts(self, request: catalogue_pb2.ApplyPromptsRequest, context: Context) -> catalogue_pb2.ApplyPromptsResponse:
        return catalogue_pb2.ApplyPromptsResponse(changes=await self._catalogue.apply(request, caller().principal))
