"""`POST /v1/files`: a form with a file, handed on piece by piece as fast as the service stores it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from llm_mesh.batches.v1 import files_pb2
from llm_mesh_edge.domain.ports import BatchesClient
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.form_parts import PartHead
from llm_mesh_edge.http.forms import FormField, FormPiece, form_parts
from llm_mesh_edge.http.openai.files import PURPOSES, file_object
from llm_mesh_edge.http.resource_paths import name_fields
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.errors import invalid

_FIELDS = {"start.filename": "file", "end.purpose": "purpose", "end.expires_after": "expires_after[seconds]", "content": "file"}
_ANCHOR = "created_at"
_PIECE = 1024 * 1024
_OF_THE_FORM = 64 * 1024
"""Bytes that a form may have besides its file."""
_MOST_DIGITS = 9


class UploadHandler:
    """Stores a file."""

    def __init__(self, batches: BatchesClient, settings: Settings) -> None:
        self._batches = batches
        self._settings = settings

    async def __call__(self, exchange: HttpExchange) -> None:
        """Reads the form as it arrives. The purpose may stand before or behind the file."""
        name_fields(exchange, _FIELDS)
        form = _FileForm()
        try:
            file = await self._batches.upload(self._guarded(exchange, form), exchange.headers.metadata())
        except (Exception, asyncio.CancelledError):
            await exchange.discard()  # else the connection is reset, and the answer lost
            if form.fault is None:
                raise
            raise form.fault from None
        await exchange.answer_json(file_object(file))

    async def _guarded(self, exchange: HttpExchange, form: _FileForm) -> AsyncIterator[files_pb2.UploadFileRequest]:
        """The messages. What is wrong with the form is kept: to a call its iterator's failure is a cancellation like any other."""
        try:
            async for message in self._messages(exchange, form):
                yield message
        except Exception as fault:
            form.fault = fault
            raise

    async def _messages(self, exchange: HttpExchange, form: _FileForm) -> AsyncIterator[files_pb2.UploadFileRequest]:
        limit = self._settings.upload_bytes + _OF_THE_FORM
        async for part in form_parts(exchange, limit=limit, idle=self._settings.upload.total_seconds()):
            if isinstance(part, FormPiece):
                for begin in range(0, len(part.content), _PIECE):
                    yield files_pb2.UploadFileRequest(content=part.content[begin : begin + _PIECE])
            elif isinstance(part, PartHead):
                yield files_pb2.UploadFileRequest(start=form.begin(part))
            else:
                form.take(part)
        yield files_pb2.UploadFileRequest(end=form.end())


@dataclass
class _FileForm:
    """What the fields of the form say."""

    fault: Exception | None = None
    has_file: bool = False
    purpose: str = ""
    anchor: str = ""
    seconds: str = ""

    def begin(self, file: PartHead) -> files_pb2.UploadStart:
        """The file begins."""
        if file.name != "file":
            raise invalid(file.name, "not expected; the file stands in the field file")
        if self.has_file:
            raise invalid("file", "expected one file, and found two")
        self.has_file = True
        return files_pb2.UploadStart(filename=file.filename)

    def take(self, field: FormField) -> None:
        """A field that is a text."""
        match field.name:
            case "purpose":
                self.purpose = field.value
            case "expires_after[anchor]":
                self.anchor = field.value
            case "expires_after[seconds]":
                self.seconds = field.value
            case "file":
                raise invalid("file", "expected a part with a filename")
            case _:
                raise invalid(field.name, "unknown; expected file, purpose or expires_after")

    def end(self) -> files_pb2.UploadEnd:
        """The form is whole."""
        if not self.has_file:
            raise invalid("file", "required: a part with a filename")
        if self.purpose not in PURPOSES:
            raise invalid("purpose", f"required: one of {', '.join(PURPOSES)}")
        end = files_pb2.UploadEnd(purpose=PURPOSES[self.purpose])
        if self.seconds or self.anchor:
            if self.anchor != _ANCHOR:
                raise invalid("expires_after[anchor]", f"expected {_ANCHOR}")
            if not (self.seconds.isascii() and self.seconds.isdecimal() and len(self.seconds) <= _MOST_DIGITS):
                raise invalid("expires_after[seconds]", "expected a whole number of seconds")
            end.expires_after.seconds = int(self.seconds)
        return end
