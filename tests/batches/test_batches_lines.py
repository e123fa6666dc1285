"""The lines of a file, however hostile: what is wrong is told by line, and nothing is held beyond its bound."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.jsonl import LineFault, LineSplitter, RawLine, read_line
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.batches.batch_world import CALLER, CHAT, TENANT, instance, jsonl, line

URL = "/v1/chat/completions"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'batches.db'}", name="batches", time_limit=60)
    yield database
    await database.close()


def cut(content: bytes, sizes: list[int], most: int) -> Iterator[RawLine]:
    splitter = LineSplitter(most)
    begin = 0
    for size in sizes:
        yield from splitter.feed(content[begin : begin + size])
        begin += size
    yield from splitter.feed(content[begin:])
    yield from splitter.close()


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(0, 60)), st.integers(1, 50))
def test_lines_are_the_same_wherever_the_file_is_cut(lines: list[bytes], sizes: list[int], most: int) -> None:
    content = b"\n".join(lines)
    expected = [
        RawLine(number, None if len(each) > most else each)
        for number, each in enumerate(content.split(b"\n"), 1)
        if len(each) > most or each.strip()
    ]
    assert list(cut(content, sizes, most)) == expected


def test_a_line_without_an_end_is_not_held() -> None:
    splitter = LineSplitter(1 << 20)
    tracemalloc.start()
    try:
        for _ in range(64):
            assert list(splitter.feed(b"x" * (1 << 20))) == []
        assert tracemalloc.get_traced_memory()[0] < 4 << 20
    finally:
        tracemalloc.stop()
    assert list(splitter.close()) == [RawLine(1, None)]


WRONG: dict[str, tuple[bytes, str, str]] = {
    "not JSON": (b"{", "invalid_json", ""),
    "not UTF-8": (b'{"custom_id": "\xff"}', "invalid_utf8", ""),
    "a list": (b"[1]", "invalid_json", ""),
    "nested without end": (b"[" * 100_000, "invalid_json", ""),
    "no custom_id": (json.dumps({"url": URL, "body": {}}).encode(), "missing_field", "custom_id"),
    "a number as custom_id": (line(7), "invalid_field", "custom_id"),
    "an empty custom_id": (line(""), "invalid_field", "custom_id"),
    "an endless custom_id": (line("x" * 600), "invalid_field", "custom_id"),
    "another method": (line(method="GET"), "invalid_field", "method"),
    "another endpoint": (line(url="/v1/embeddings"), "mismatched_endpoint", "url"),
    "no url": (json.dumps({"custom_id": "c", "body": {}}).encode(), "mismatched_endpoint", "url"),
    "no body": (json.dumps({"custom_id": "c", "url": URL}).encode(), "missing_field", "body"),
    "a text as body": (line(body="text"), "invalid_field", "body"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_with_a_line_is_told_by_its_field(how: str) -> None:
    content, code, field = WRONG[how]
    with pytest.raises(LineFault) as caught:
        read_line(RawLine(3, content), URL, 100)
    error = caught.value.error
    assert (error.line, error.code, error.field) == (3, code, field)
    assert error.message.isprintable()


async def test_a_wrong_file_fails_as_a_whole_and_says_each_line(store: Database) -> None:
    async with instance(store, line_bytes=1024) as one:
        batch = await one.of_file(jsonl([line("a"), b"{", line("a"), b"x" * 2000, b"", line("b", url="/v1/embeddings")]))
        assert batch.state == batches_pb2.BATCH_STATE_FAILED
        assert [(error.line, error.code) for error in batch.errors] == [
            (2, "invalid_json"),
            (4, "line_too_large"),
            (6, "mismatched_endpoint"),
            (3, "duplicate_custom_id"),
        ]
        assert (batch.counts.processing, batch.output_file, batch.error_file) == (0, "", "")


async def test_a_file_with_too_many_lines_is_refused_before_its_end(store: Database) -> None:
    async with instance(store, most_lines=1000) as one:
        batch = await one.of_file(jsonl([line(f"c{number}") for number in range(3000)]))
        assert [error.code for error in batch.errors] == ["too_many_lines"]


async def test_a_file_of_nothing_but_faults_has_a_bounded_list(store: Database) -> None:
    async with instance(store) as one:
        batch = await one.of_file(b"{\n" * 200_000)
        assert len(batch.errors) == 100


@pytest.mark.parametrize(("content", "code"), [(b"", "file_not_found"), (b"\n \n\n", "empty_file")])
async def test_a_file_without_lines_fails(store: Database, content: bytes, code: str) -> None:
    async with instance(store) as one:
        assert [error.code for error in (await one.of_file(content)).errors] == [code]


async def test_a_file_of_another_purpose_is_not_found(store: Database) -> None:
    async with instance(store) as one:
        file = await one.uploaded(jsonl([line()]), purpose=files_pb2.FILE_PURPOSE_USER_DATA)
        with pytest.raises(MeshError) as caught:
            await one.batches.create(TENANT, CALLER, batches_pb2.CreateBatchRequest(endpoint=CHAT, input_file=file.id))
        assert (caught.value.reason_name, caught.value.field) == ("FILE_NOT_FOUND", "input_file")


REQUESTS: dict[str, tuple[list[tuple[str, bytes]], str]] = {
    "twice the same id": ([("a", b"{}"), ("a", b"{}")], "requests.requests[1].custom_id"),
    "no JSON": ([("a", b"{")], "requests.requests[0].body_json"),
    "no object": ([("a", b"[]")], "requests.requests[0].body_json"),
    "too large": ([("a", b'{"x": "' + b"x" * 2000 + b'"}')], "requests.requests[0].body_json"),
}


@pytest.mark.parametrize("how", REQUESTS)
async def test_wrong_requests_create_nothing(store: Database, how: str) -> None:
    requests, field = REQUESTS[how]
    async with instance(store, line_bytes=1024) as one:
        request = batches_pb2.CreateBatchRequest(endpoint=CHAT)
        for custom_id, body in requests:
            request.requests.requests.add(custom_id=custom_id, body_json=body)
        with pytest.raises(MeshError) as caught:
            await one.batches.create(TENANT, CALLER, request)
        assert (caught.value.reason_name, caught.value.field) == ("INVALID_FIELD", field)
        assert (await one.batches.page(TENANT, batches_pb2.ListBatchesRequest()))[0] == []
