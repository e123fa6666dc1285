"""`/v1/files`: files of a project."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from llm_mesh.batches.v1 import files_pb2
from llm_mesh_edge.domain.ports import BatchesClient
from llm_mesh_edge.domain.queries import Query
from llm_mesh_edge.domain.receipts import Pairs
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.downloads import download
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.openai.lists import LIST_FIELDS, MOST_LISTED, page_of
from llm_mesh_edge.http.resource_paths import identity_in, name_fields

PATH = "/v1/files"
_CONTENT = "/content"
_BYTES = b"application/octet-stream"
PURPOSES: Mapping[str, files_pb2.FilePurpose] = MappingProxyType(
    {
        "assistants": files_pb2.FILE_PURPOSE_ASSISTANTS,
        "batch": files_pb2.FILE_PURPOSE_BATCH,
        "batch_output": files_pb2.FILE_PURPOSE_BATCH_OUTPUT,
        "evals": files_pb2.FILE_PURPOSE_EVALS,
        "fine-tune": files_pb2.FILE_PURPOSE_FINE_TUNE,
        "user_data": files_pb2.FILE_PURPOSE_USER_DATA,
        "vision": files_pb2.FILE_PURPOSE_VISION,
    }
)
"""By OpenAI's names."""
_NAMES = {number: name for name, number in PURPOSES.items()}


class FilesHandler:
    """Lists, shows, deletes and hands out files."""

    def __init__(self, batches: BatchesClient, bodies: Bodies) -> None:
        self._batches = batches
        self._bodies = bodies

    async def all(self, exchange: HttpExchange) -> None:
        """A page of files, newest first."""
        name_fields(exchange, LIST_FIELDS)
        query = Query(exchange.query)
        purpose = query.one_of("purpose", {"", *PURPOSES}, "")
        request = files_pb2.ListFilesRequest(
            page_size=min(query.whole("limit", MOST_LISTED, 10 * MOST_LISTED), MOST_LISTED),
            after=query.text("after"),
            ascending=query.one_of("order", ("asc", "desc"), "desc") == "asc",
        )
        if purpose:
            request.purpose = PURPOSES[purpose]
        answer = await self._batches.files(request, exchange.headers.metadata())
        await exchange.answer_json(page_of([file_object(each) for each in answer.files], more=bool(answer.next_page_token)))

    async def one(self, exchange: HttpExchange) -> None:
        """What is known of a file."""
        file = await self._batches.file(identity_in(exchange, f"{PATH}/"), exchange.headers.metadata())
        await exchange.answer_json(file_object(file))

    async def delete(self, exchange: HttpExchange) -> None:
        """Deletes a file for good."""
        identity = identity_in(exchange, f"{PATH}/")
        await self._batches.delete_file(identity, exchange.headers.metadata())
        await exchange.answer_json({"id": identity, "object": "file", "deleted": True})

    async def content(self, exchange: HttpExchange) -> None:
        """The bytes of a file, as fast as the client takes them."""
        stream = self._batches.download(identity_in(exchange, f"{PATH}/", _CONTENT), exchange.headers.metadata())
        await download(exchange, self._bodies, stream, lambda piece: piece.content, lambda _: 0, media_type=_BYTES, headers=_length)


def file_object(file: files_pb2.File) -> dict[str, object]:
    """A file in OpenAI's shape."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.create_time.seconds,
        "expires_at": file.expire_time.seconds,
        "filename": file.filename,
        "purpose": _NAMES.get(file.purpose, "user_data"),
        "status": "processed",
        "status_details": None,
    }


def _length(first: files_pb2.DownloadFileResponse) -> Pairs:
    return [(b"content-length", b"%d" % first.file.bytes)]
