"""References are found wherever they stand, and what the provider says before its end is not taken for the end."""

from __future__ import annotations

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.profile import profile_generation
from llm_mesh_gateway.domain.record import AttemptRecord

FILE = content_pb2.Part(file=content_pb2.Media(file_id="f"))
SOUND = content_pb2.Part(audio=content_pb2.Media(uri="https://example.com/a.wav"))
INLINE = content_pb2.Part(file=content_pb2.Media(data=b"x" * 100, mime_type="application/pdf"))
DATA_URI = content_pb2.Part(file=content_pb2.Media(uri="data:application/pdf;base64," + "A" * 100))


def profile(*parts: content_pb2.Part, **fields: object) -> router_pb2.RequestProfile:
    told = router_pb2.RequestProfile()
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=parts)
    request = generate_pb2.GenerateInput(messages=[message], **fields)  # type: ignore[arg-type]  # fields of the message
    profile_generation(told, request, session="", exact=False, streamed=False)
    return told


def test_sounds_and_files_by_reference_are_counted_and_those_in_the_request_are_bytes() -> None:
    nested = content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id="t", parts=[FILE]))
    told = profile(FILE, SOUND, nested, INLINE, DATA_URI)
    assert (told.file_references, told.audio_references, told.unbounded_references) == (2, 1, 0)
    assert told.input_bytes >= 200 + len("data:application/pdf;base64,")


@pytest.mark.parametrize(
    ("key", "json", "count"),
    [
        ("previous_response_id", b'"resp_1"', 1),
        ("conversation", b'{"id": "c"}', 1),
        ("web_search_options", b"{}", 1),
        ("anything", b'{"input": [{"file_id" : "f"}]}', 1),
        ("anything", b'{"file\\u005fid": "f"}', 1),
        ("anything", b'{"parts": [{"fileData": {"fileUri": "gs://a/b"}}]}', 1),
        ("anything", b'{"imageUrl": "https://example.com"}', 1),
        ("cachedContent", b'"cachedContents/1"', 1),
        ("anything", b'{"text": "a file_id and a url"}', 0),
        ("metadata", b'{"url": "https://example.com"}', 0),
        ("seed", b"7", 0),
    ],
)
def test_references_in_what_is_not_modelled_are_found(key: str, json: bytes, count: int) -> None:
    extra = content_pb2.Extra(dialect="openai", key=key, json=json)
    assert profile(extras=[extra]).unbounded_references == count


@pytest.mark.parametrize(("json", "count"), [(b'{"source": {"file_url": "https://example.com"}}', 1), (b'{"text": "hi"}', 0)])
def test_references_in_parts_that_are_not_modelled_are_found(json: bytes, count: int) -> None:
    part = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="openai", type="odd", json=json))
    assert profile(part).unbounded_references == count


@pytest.mark.parametrize(("kind", "count"), [("web_search_20250305", 1), ("file_search", 1), ("custom", 0), ("bash_20250124", 0)])
def test_a_providers_own_tool_reads_without_a_bound(kind: str, count: int) -> None:
    tool = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect="anthropic", type=kind, json=b"{}"))
    assert profile(tools=[tool]).unbounded_references == count


def record(media_tokens: int = 0) -> AttemptRecord:
    attempt = plan_pb2.Attempt(id="a1", adapter="fake", model="m", max_input_tokens=1000, max_output_tokens=10)
    attempt.estimated_input_tokens = min(20 + media_tokens, 1000)
    return AttemptRecord(attempt, streamed=True)


def line_of(made: AttemptRecord) -> usage_pb2.UsageLine:
    line = usage_pb2.UsageLine()
    made.write(line)
    return line


def piece(*events: generate_pb2.StreamEvent) -> Piece:
    return Piece(events=events)


def test_usage_at_the_begin_of_a_stream_is_not_its_end() -> None:
    made = record()
    early = generate_pb2.Usage(input_tokens=33, output_tokens=1)
    made.note(piece(generate_pb2.StreamEvent(started=generate_pb2.Started(usage=early))))
    made.cancelled()
    line = line_of(made)
    assert (line.source, line.usage.input_tokens, line.streamed) == (usage_pb2.USAGE_SOURCE_COUNTED, 33, True)


def test_usage_at_the_end_of_a_stream_is_the_providers_word_even_where_its_reader_has_left() -> None:
    made = record()
    made.note(piece(generate_pb2.StreamEvent(usage=generate_pb2.Usage(input_tokens=33, output_tokens=7))))
    made.cancelled()
    assert line_of(made).source == usage_pb2.USAGE_SOURCE_PROVIDER


def test_the_input_of_an_unfinished_attempt_has_its_images_and_references() -> None:
    made = record(media_tokens=700)
    made.cancelled()
    assert line_of(made).usage.input_tokens == 720


def test_what_was_counted_is_told_where_a_provider_reports_more_than_can_be() -> None:
    made = record()
    text = generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text="word " * 8))
    report = adapter_pb2.AttemptReport(usage=generate_pb2.Usage(input_tokens=5, output_tokens=10**12))
    report.source = usage_pb2.USAGE_SOURCE_PROVIDER
    made.note(piece(text))
    made.completed(report)
    line = line_of(made)
    assert (line.usage.output_tokens, line.counted_input_tokens, line.counted_output_tokens) == (10**12, 20, 10)
