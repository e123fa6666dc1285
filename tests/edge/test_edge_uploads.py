"""Files come in forms that are read as they arrive: in whatever order, and however hostile, with nothing held beyond a piece."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from llm_mesh.batches.v1 import batches_pb2_grpc, files_pb2, files_pb2_grpc
from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import FakePolicy, NoSettings, host
from tests.edge.fakes import FakeGateway

KEY = {"authorization": "Bearer mk_ana"}
FORM = {**KEY, "content-type": "multipart/form-data; boundary=b"}
MOST = 300_000


@dataclass
class FakeFiles(files_pb2_grpc.FileServiceServicer):
    """Takes files, and remembers what came of them."""

    start: files_pb2.UploadStart = field(default_factory=files_pb2.UploadStart)
    end: files_pb2.UploadEnd = field(default_factory=files_pb2.UploadEnd)
    pieces: list[bytes] = field(default_factory=list)
    whole: int = 0

    async def UploadFile(self, request_iterator: AsyncIterator[files_pb2.UploadFileRequest], context: Any) -> files_pb2.UploadFileResponse:
        del context
        async for message in request_iterator:
            if message.HasField("start"):
                self.start = message.start
            elif message.HasField("end"):
                self.end = message.end
            else:
                self.pieces.append(message.content)
        self.whole += 1
        return files_pb2.UploadFileResponse(file=files_pb2.File(id="file-x", purpose=self.end.purpose, bytes=sum(map(len, self.pieces))))

    def service(self) -> Service:
        def build(settings: object, links: object) -> Servicers:
            del settings, links
            batches = batches_pb2_grpc.BatchServiceServicer()
            return Servicers(
                (files_pb2_grpc.add_FileServiceServicer_to_server, self), (batches_pb2_grpc.add_BatchServiceServicer_to_server, batches)
            )

        contracts = ("llm_mesh.batches.v1.FileService", "llm_mesh.batches.v1.BatchService")
        return Service("batches", contracts, NoSettings, build, port=50082)


@dataclass
class Uploading:
    """The edge before a service that takes files."""

    files: FakeFiles
    session: aiohttp.ClientSession
    url: str

    async def send(self, body: Any, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.url, data=body, headers=headers or FORM) as answer:
            return answer.status, json.loads(await answer.read())


@pytest.fixture
async def uploading() -> AsyncIterator[Uploading]:
    files, policy = FakeFiles(), FakePolicy()
    settings = Settings(upload_bytes=MOST, upload=timedelta(seconds=0.3))
    async with (
        host(policy.service(), FakeGateway().service(), files.service(), service, settings={"edge": settings}) as mesh,
        aiohttp.ClientSession() as session,
    ):
        yield Uploading(files, session, f"http://{mesh.http('edge')}/v1/files")


def part(name: str, value: bytes, *, filename: str | None = None, more: bytes = b"") -> bytes:
    named = f'; filename="{filename}"'.encode() if filename is not None else b""
    return b'--b\r\ncontent-disposition: form-data; name="' + name.encode() + b'"' + named + b"\r\n" + more + b"\r\n" + value + b"\r\n"


FILE, PURPOSE, END = part("file", b"content", filename="a.jsonl"), part("purpose", b"batch"), b"--b--\r\n"


@pytest.mark.parametrize("body", [PURPOSE + FILE + END, FILE + PURPOSE + END], ids=["purpose first", "file first"])
async def test_the_purpose_may_stand_before_or_behind_the_file(uploading: Uploading, body: bytes) -> None:
    status, answer = await uploading.send(body)
    assert (status, answer["purpose"], answer["bytes"]) == (200, "batch", 7)
    assert (uploading.files.start.filename, b"".join(uploading.files.pieces)) == ("a.jsonl", b"content")


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_form_is_the_same_wherever_it_is_cut(uploading: Uploading, size: int) -> None:
    content = b"\r\n--b\r--b-\r\n" * 40
    body = part("file", content, filename="a") + PURPOSE + END

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), size):
            yield body[begin : begin + size]

    status, _ = await uploading.send(pieces())
    assert (status, b"".join(uploading.files.pieces)) == (200, content)


async def test_a_long_file_goes_on_in_pieces(uploading: Uploading) -> None:
    content = bytes(range(256)) * 1000
    status, _ = await uploading.send(part("file", content, filename="a") + PURPOSE + END)
    assert (status, b"".join(uploading.files.pieces)) == (200, content)
    assert max(map(len, uploading.files.pieces)) <= 1 << 20


WRONG: dict[str, tuple[bytes, int, str, str | None]] = {
    "ends early": (PURPOSE + FILE, 400, "invalid_form", None),
    "no form at all": (b"text", 400, "invalid_form", None),
    "nothing": (b"", 400, "invalid_form", None),
    "two files": (FILE + FILE + PURPOSE + END, 400, "invalid_field", "file"),
    "a file elsewhere": (part("other", b"x", filename="a") + PURPOSE + END, 400, "invalid_field", "other"),
    "a file without a name": (part("file", b"x") + PURPOSE + END, 400, "invalid_field", "file"),
    "no file": (PURPOSE + END, 400, "invalid_field", "file"),
    "no purpose": (FILE + END, 400, "invalid_field", "purpose"),
    "another purpose": (FILE + part("purpose", b"none") + END, 400, "invalid_field", "purpose"),
    "a purpose that is no text": (FILE + part("purpose", b"\xff") + END, 400, "invalid_form", "purpose"),
    "an unknown field": (part("colour", b"red") + FILE + PURPOSE + END, 400, "invalid_field", "colour"),
    "an endless field": (part("purpose", b"x" * 20_000) + FILE + END, 400, "invalid_form", "purpose"),
    "too many parts": (part("purpose", b"batch") * 40 + FILE + END, 400, "invalid_form", None),
    "an endless head of a part": (part("file", b"x", filename="a", more=b"x: " + b"y" * 20_000 + b"\r\n"), 400, "invalid_form", None),
    "many heads of a part": (part("file", b"x", filename="a", more=b"x: y\r\n" * 100), 400, "invalid_form", None),
    "a name of a file that is too long": (part("file", b"x", filename="a" * 300) + PURPOSE + END, 400, "invalid_form", "file"),
    "another anchor": (
        FILE + PURPOSE + part("expires_after[anchor]", b"x") + part("expires_after[seconds]", b"9") + END,
        400,
        "invalid_field",
        "expires_after[anchor]",
    ),
    "no number": (
        FILE + PURPOSE + part("expires_after[anchor]", b"created_at") + part("expires_after[seconds]", b"soon") + END,
        400,
        "invalid_field",
        "expires_after[seconds]",
    ),
}


@pytest.mark.parametrize("how", WRONG)
async def test_a_wrong_form_is_refused_in_the_dialects_words_and_stores_nothing(uploading: Uploading, how: str) -> None:
    body, status, code, param = WRONG[how]
    told, answer = await uploading.send(body)
    assert (told, answer["error"]["llm_mesh_code"], answer["error"]["param"]) == (status, code, param), answer
    assert uploading.files.whole == 0


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=" + "b" * 300])
async def test_what_is_no_form_is_refused_by_its_head(uploading: Uploading, kind: str) -> None:
    status, answer = await uploading.send(FILE, {**KEY, "content-type": kind})
    assert (status, answer["error"]["llm_mesh_code"]) == (400, "invalid_form")
    assert uploading.files.whole == 0


async def test_a_file_that_is_too_large_is_refused_before_its_end(uploading: Uploading) -> None:
    status, answer = await uploading.send(part("file", b"x" * (MOST + 100_000), filename="a") + PURPOSE + END)
    assert (status, answer["error"]["llm_mesh_code"]) == (413, "message_too_large")

    async def endless() -> AsyncIterator[bytes]:
        yield part("file", b"", filename="a")[:-2]
        for _ in range(40):
            yield b"x" * 10_000

    status, answer = await uploading.send(endless())
    assert (status, answer["error"]["llm_mesh_code"]) == (413, "message_too_large")
    assert uploading.files.whole == 0


async def test_a_client_that_falls_silent_is_not_waited_for(uploading: Uploading) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield FILE
        await asyncio.sleep(5)

    status, answer = await uploading.send(silent())
    assert (status, answer["error"]["llm_mesh_code"]) == (408, "request_timeout")
    assert uploading.files.whole == 0
