"""An application stores files and works off batches with unmodified SDKs of OpenAI and Anthropic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anthropic
import openai as openai_sdk
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.e2e.running import RunningMesh

T = TypeVar("T")
_PATIENCE = 60.0


@pytest.fixture
def claude(mesh: RunningMesh) -> Iterator[Anthropic]:
    """Anthropic's own SDK, unmodified, with the first project's key; it does not repeat requests."""
    with Anthropic(base_url=mesh.http, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        yield client


def once(read: Callable[[], T], ended: Callable[[T], bool]) -> T:
    """What is read, once it has ended. Waits as an application does: by asking again."""
    until = time.monotonic() + _PATIENCE
    while not ended(present := read()):
        assert time.monotonic() < until, present
        time.sleep(0.05)
    return present


def line(custom_id: str, url: str, **body: Any) -> bytes:
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body}).encode()


def chat(custom_id: str, said: str, model: str = "sim-echo") -> bytes:
    return line(custom_id, "/v1/chat/completions", model=model, messages=[{"role": "user", "content": said}])


def test_a_file_is_stored_listed_read_and_deleted(openai: OpenAI) -> None:
    content = bytes(range(256)) * 3000
    file = openai.files.create(file=("naïve.bin", content), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 7200})
    assert (file.bytes, file.filename, file.purpose, file.object) == (len(content), "naïve.bin", "user_data", "file")
    assert file.expires_at == file.created_at + 7200
    assert openai.files.retrieve(file.id) == file
    assert file.id in [each.id for each in openai.files.list(purpose="user_data", limit=2)]
    assert openai.files.content(file.id).read() == content
    assert openai.files.delete(file.id).deleted
    with pytest.raises(openai_sdk.NotFoundError) as gone:
        openai.files.retrieve(file.id)
    assert gone.value.code == "file_not_found"


def test_a_batch_of_a_file_is_answered_line_by_line(openai: OpenAI) -> None:
    lines = [chat("a", "say a"), chat("b", "say b"), chat("none", "x", model="no-such-model")]
    file = openai.files.create(file=("lines.jsonl", b"\n".join(lines)), purpose="batch")
    batch = openai.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"job": "nightly"}
    )
    assert (batch.status, batch.input_file_id, batch.metadata) == ("validating", file.id, {"job": "nightly"})
    ended = once(lambda: openai.batches.retrieve(batch.id), lambda present: present.completed_at is not None)
    assert ended.status == "completed"
    assert ended.request_counts is not None
    assert (ended.request_counts.total, ended.request_counts.completed, ended.request_counts.failed) == (3, 2, 1)
    assert ended.usage is not None
    assert ended.usage.total_tokens > 0
    assert ended.output_file_id is not None
    assert ended.error_file_id is not None
    answers = [json.loads(each) for each in openai.files.content(ended.output_file_id).text.splitlines()]
    assert {each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"] for each in answers} == {
        "a": "say a",
        "b": "say b",
    }
    failed = json.loads(openai.files.content(ended.error_file_id).text)
    assert (failed["custom_id"], failed["response"]["status_code"]) == ("none", 404)
    assert openai.files.retrieve(ended.output_file_id).purpose == "batch_output"
    assert batch.id in [each.id for each in openai.batches.list(limit=1)]


def test_a_batch_of_embeddings_has_vectors(openai: OpenAI) -> None:
    file = openai.files.create(file=("v.jsonl", line("v", "/v1/embeddings", model="sim-embed", input=["one", "two"])), purpose="batch")
    batch = openai.batches.create(input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h")
    ended = once(lambda: openai.batches.retrieve(batch.id), lambda present: present.completed_at is not None)
    assert ended.output_file_id is not None
    body = json.loads(openai.files.content(ended.output_file_id).text)["response"]["body"]
    assert len(body["data"]) == 2


def test_a_wrong_file_and_wrong_words_are_told_in_the_dialect(openai: OpenAI) -> None:
    file = openai.files.create(file=("bad.jsonl", b'{"custom_id": "a"}\nnot json\n'), purpose="batch")
    batch = openai.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    failed = once(lambda: openai.batches.retrieve(batch.id), lambda present: present.status == "failed")
    assert failed.errors is not None
    assert [(each.line, each.code) for each in failed.errors.data or []] == [(1, "mismatched_endpoint"), (2, "invalid_json")]
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("input_file_id", lambda: openai.batches.create(input_file_id="file-x", endpoint="/v1/embeddings", completion_window="24h")),
        ("endpoint", lambda: openai.batches.create(input_file_id=file.id, endpoint="/v1/videos", completion_window="24h")),
        ("limit", lambda: openai.batches.list(limit=0)),
        ("purpose", lambda: openai.files.create(file=("x", b"x"), purpose="batch_output")),  # type: ignore[arg-type]
        ("purpose", lambda: openai.files.create(file=("x", b"x"), purpose="nothing")),  # type: ignore[arg-type]
    ]
    for param, call in wrong:
        with pytest.raises((openai_sdk.BadRequestError, openai_sdk.NotFoundError)) as refused:
            call()
        assert refused.value.param == param, refused.value
    with pytest.raises(openai_sdk.ConflictError) as ended:
        openai.batches.cancel(batch.id)
    assert ended.value.code == "batch_ended"


def test_message_batches_are_created_polled_and_read(claude: Anthropic) -> None:
    def request(custom_id: str, model: str) -> Any:
        return {"custom_id": custom_id, "params": {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": custom_id}]}}

    batch = claude.messages.batches.create(requests=[request("one", "sim-anthropic"), request("two", "sim-echo"), request("bad", "none")])
    assert batch.id.startswith("msgbatch_")
    ended = once(lambda: claude.messages.batches.retrieve(batch.id), lambda present: present.processing_status == "ended")
    counts = ended.request_counts
    assert (counts.succeeded, counts.errored, counts.processing) == (2, 1, 0)
    results = {each.custom_id: each.result for each in claude.messages.batches.results(batch.id)}
    for name in ("one", "two"):
        result = results[name]
        assert result.type == "succeeded"
        assert [block.text for block in result.message.content if block.type == "text"] == [name]
    assert results["bad"].type == "errored"
    assert results["bad"].error.error.type == "not_found_error"
    assert batch.id in [each.id for each in claude.messages.batches.list(limit=1)]
    assert claude.messages.batches.cancel(batch.id).processing_status == "ended"
    assert claude.messages.batches.delete(batch.id).id == batch.id
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.retrieve(batch.id)


def test_each_dialect_sees_the_batches_of_its_own(openai: OpenAI, claude: Anthropic) -> None:
    file = openai.files.create(file=("lines.jsonl", chat("a", "a")), purpose="batch")
    batch = openai.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.retrieve(batch.id.replace("batch_", "msgbatch_"))
    once(lambda: openai.batches.retrieve(batch.id), lambda present: present.completed_at is not None)
