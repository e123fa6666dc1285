"""The RPCs of batches: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.batches.v1 import batches_pb2, batches_pb2_grpc, files_pb2, files_pb2_grpc
from llm_mesh_batches.domain.tenants import sealed_caller, tenant_of
from llm_mesh_runtime.context import caller

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_batches.domain.batches import Batches
    from llm_mesh_batches.domain.files import Files

    Context = ServicerContext[Any, Any]


class FileServicer(files_pb2_grpc.FileServiceServicer):
    """Files of projects."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def UploadFile(
        self, request_iterator: AsyncIterator[files_pb2.UploadFileRequest], context: Context
    ) -> files_pb2.UploadFileResponse:
        return files_pb2.UploadFileResponse(file=await self._files.upload(tenant_of(caller()), request_iterator))

    async def GetFile(self, request: files_pb2.GetFileRequest, context: Context) -> files_pb2.GetFileResponse:
        return files_pb2.GetFileResponse(file=await self._files.get(tenant_of(caller()), request.file))

    async def ListFiles(self, request: files_pb2.ListFilesRequest, context: Context) -> files_pb2.ListFilesResponse:
        files, token = await self._files.page(tenant_of(caller()), request)
        return files_pb2.ListFilesResponse(files=files, next_page_token=token)

    async def DeleteFile(self, request: files_pb2.DeleteFileRequest, context: Context) -> files_pb2.DeleteFileResponse:
        await self._files.delete(tenant_of(caller()), request.file)
        return files_pb2.DeleteFileResponse()

    async def DownloadFile(self, request: files_pb2.DownloadFileRequest, context: Context) -> AsyncIterator[files_pb2.DownloadFileResponse]:
        async for message in self._files.download(tenant_of(caller()), request.file):
            yield message


class BatchServicer(batches_pb2_grpc.BatchServiceServicer):
    """Batches of projects."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def CreateBatch(self, request: batches_pb2.CreateBatchRequest, context: Context) -> batches_pb2.CreateBatchResponse:
        who = caller()
        return batches_pb2.CreateBatchResponse(batch=await self._batches.create(tenant_of(who), sealed_caller(who), request))

    async def GetBatch(self, request: batches_pb2.GetBatchRequest, context: Context) -> batches_pb2.GetBatchResponse:
        return batches_pb2.GetBatchResponse(batch=await self._batches.get(tenant_of(caller()), request.batch))

    async def ListBatches(self, request: batches_pb2.ListBatchesRequest, context: Context) -> batches_pb2.ListBatchesResponse:
        batches, token = await self._batches.page(tenant_of(caller()), request)
        return batches_pb2.ListBatchesResponse(batches=batches, next_page_token=token)

    async def CancelBatch(self, request: batches_pb2.CancelBatchRequest, context: Context) -> batches_pb2.CancelBatchResponse:
        return batches_pb2.CancelBatchResponse(batch=await self._batches.cancel(tenant_of(caller()), request.batch))

    async def DeleteBatch(self, request: batches_pb2.DeleteBatchRequest, context: Context) -> batches_pb2.DeleteBatchResponse:
        await self._batches.delete(tenant_of(caller()), request.batch)
        return batches_pb2.DeleteBatchResponse()

    async def ReadResults(
        self, request: batches_pb2.ReadResultsRequest, context: Context
    ) -> AsyncIterator[batches_pb2.ReadResultsResponse]:
        async for message in self._batches.results(tenant_of(caller()), request.batch):
            yield message
