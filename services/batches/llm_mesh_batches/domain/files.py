"""Files of projects: stored in bounded pieces, read in the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.errors import file_not_found, file_too_large
from llm_mesh_batches.domain.ports import BatchStore, FileStore, ListQuery
from llm_mesh_batches.domain.results import written
from llm_mesh_batches.domain.tenants import ResourceIds, Tenant
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import page_of
from llm_mesh_runtime.tasks import shielded

PIECE_BYTES = 256 * 1024
_OUTPUT = (batches_pb2.LINE_OUTCOME_SUCCEEDED,)
_ERRORS = (batches_pb2.LINE_OUTCOME_FAILED, batches_pb2.LINE_OUTCOME_CANCELLED, batches_pb2.LINE_OUTCOME_EXPIRED)


def _check_purpose(purpose: int, field: str, *, required: bool = False) -> None:
    if purpose == files_pb2.FILE_PURPOSE_BATCH_OUTPUT:
        raise invalid(field, "must be another one: only batches make files of this purpose")
    if required and not purpose:
        raise invalid(field, "required, here or in the beginning")


class Files:
    """Stores, shows and deletes files."""

    def __init__(self, store: FileStore, batches: BatchStore, ids: ResourceIds, *, most_bytes: int, keep: timedelta) -> None:
        self._store = store
        self._batches = batches
        self._ids = ids
        self._most_bytes = most_bytes
        self._keep = keep

    async def upload(self, tenant: Tenant, messages: AsyncIterator[files_pb2.UploadFileRequest]) -> files_pb2.File:
        """Stores a file. Nothing of it stays where the upload breaks off."""
        first = await anext(aiter(messages), None)
        if first is None or first.WhichOneof("kind") != "start":
            raise invalid("start", "required in the first message")
        file = files_pb2.File(id=self._ids.new_file(tenant), filename=first.start.filename)
        _check_purpose(first.start.purpose, "start.purpose")
        await self._store.begin(tenant, file, self._keeping(first.start))
        try:
            end = await self._receive(tenant, file.id, messages)
            purpose = end.purpose or first.start.purpose
            _check_purpose(purpose, "end.purpose", required=True)
            return await self._store.finish(tenant, file.id, purpose, min(self._keeping(first.start), self._keeping(end)))
        except BaseException:
            await shielded(self._store.discard(tenant, file.id))
            raise

    def _keeping(self, part: files_pb2.UploadStart | files_pb2.UploadEnd) -> int:
        """For how many microseconds a part of the upload lets the file be kept."""
        keep = min(self._keep, part.expires_after.ToTimedelta()) if part.HasField("expires_after") else self._keep
        return keep // timedelta(microseconds=1)

    async def _receive(self, tenant: Tenant, identity: str, messages: AsyncIterator[files_pb2.UploadFileRequest]) -> files_pb2.UploadEnd:
        """Stores the pieces; answers with the end."""
        number, size, held = 0, 0, bytearray()
        end: files_pb2.UploadEnd | None = None
        async for message in messages:
            if end is not None:
                raise invalid("end", "must be the last message")
            if message.WhichOneof("kind") == "end":
                end = message.end
                continue
            if message.WhichOneof("kind") != "content" or not message.content:
                raise invalid("content", "required in each message between the first and the end")
            size += len(message.content)
            if size > self._most_bytes:
                raise file_too_large(self._most_bytes)
            held += message.content
            while len(held) >= PIECE_BYTES:
                await self._store.append(tenant, identity, number, bytes(held[:PIECE_BYTES]))
                del held[:PIECE_BYTES]
                number += 1
        if held:
            await self._store.append(tenant, identity, number, bytes(held))
        return end or files_pb2.UploadEnd()

    async def get(self, tenant: Tenant, identity: str) -> files_pb2.File:
        """The file. FILE_NOT_FOUND."""
        file = await self._store.get(tenant, self._ids.file(tenant, identity))
        if file is None:
            raise file_not_found()
        return file

    async def page(self, tenant: Tenant, request: files_pb2.ListFilesRequest) -> tuple[Sequence[files_pb2.File], str]:
        """Some files, and the token of the next page."""
        after = self._ids.file(tenant, request.after, "after") if request.after else ""
        page = page_of(request, *tenant, str(request.purpose), after, str(request.ascending))
        files = await self._store.page(tenant, ListQuery(page, request.purpose, after, request.ascending))
        return page.cut(files, lambda file: file.id)

    async def delete(self, tenant: Tenant, identity: str) -> None:
        """Deletes it. FILE_NOT_FOUND, FILE_IN_USE."""
        await self._store.delete(tenant, self._ids.file(tenant, identity))

    async def download(self, tenant: Tenant, identity: str) -> AsyncIterator[files_pb2.DownloadFileResponse]:
        """The content, piece by piece."""
        file = await self.get(tenant, identity)
        message = files_pb2.DownloadFileResponse(file=file)
        size = 0
        async for piece in self._results(tenant, file) if file.batch else self._pieces(tenant, file):
            message.content = piece
            size += len(piece)
            yield message
            message = files_pb2.DownloadFileResponse()
        if size != file.bytes:
            raise file_not_found()  # it was deleted meanwhile
        if not size:
            yield message

    async def _pieces(self, tenant: Tenant, file: files_pb2.File) -> AsyncIterator[bytes]:
        number = 0
        while (piece := await self._store.piece(tenant, file.id, number)) is not None:
            yield piece
            number += 1

    async def _results(self, tenant: Tenant, file: files_pb2.File) -> AsyncIterator[bytes]:
        batch = await self._batches.get(tenant, file.batch)
        parts = _OUTPUT if batch is not None and batch.output_file == file.id else _ERRORS
        after = 0
        while results := await self._batches.results(tenant, file.batch, after, parts=parts):
            lines = b"".join([written(file.batch, each.number, each.result) for each in results])
            for begin in range(0, len(lines), PIECE_BYTES):
                yield lines[begin : begin + PIECE_BYTES]
            after = results[-1].sequence
