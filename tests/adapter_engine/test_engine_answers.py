"""Answers of engines, by the published stubs: whole, streamed, cut everywhere, and failing."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_engine.engine_adapter import KINDS, asked
from tests.adapter_engine.fake_engine import Script
from tests.adapter_kit.standing_adapter import StandingAdapter

TEXT = "Grüße 🌍!"
TOKENS = len(TEXT.encode()) + 1


def text_of(events: list[generate_pb2.StreamEvent]) -> str:
    return "".join(event.text.text for event in events)


async def failure_of(adapter: StandingAdapter, **more: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.stream(**more)
    return from_rpc_error(failure.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_whole_answer_has_its_text_and_the_engines_usage(kind: str) -> None:
    async with asked(kind=kind) as (adapter, engine):
        response = await adapter.generate()
    choice = response.output.choices[0]
    assert choice.message.parts[0].text.text == TEXT
    assert (choice.finish_reason, choice.native_finish_reason) == (generate_pb2.FINISH_REASON_STOP, "stop")
    usage = response.report.usage
    assert response.report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert (usage.input_tokens, usage.output_tokens) == (len(engine.last.tokenized.input_ids), TOKENS)
    assert usage.cached_input_tokens == 2
    assert (response.output.model, engine.last.stream) == ("big-1", False)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_means_the_same_wherever_its_tokens_are_cut(kind: str) -> None:
    async with asked(kind=kind) as (adapter, engine):
        for cut in range(1, TOKENS):
            engine.script.cuts = [cut]
            events, report = await adapter.stream()
            assert text_of(events) == TEXT
            assert all("\ufffd" not in event.text.text for event in events)
            assert report.usage.output_tokens == TOKENS
            assert [event.WhichOneof("kind") for event in events if event.WhichOneof("kind") != "text"] == [
                "started", "choice_finished", "usage", "finished",
            ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_tokens_one_by_one_never_show_half_a_character(kind: str) -> None:
    async with asked(Script(size=1), kind) as (adapter, _):
        events, report = await adapter.stream()
    assert [event.text.text for event in events if event.text.text] == list(TEXT)
    assert report.usage.output_tokens == TOKENS


@pytest.mark.parametrize(("finish", "reason"), [("length", generate_pb2.FINISH_REASON_LENGTH), ("pause", generate_pb2.FINISH_REASON_OTHER)])
async def test_reasons_of_an_end_are_mapped(finish: str, reason: int) -> None:
    async with asked(Script(finish=finish)) as (adapter, _):
        choice = (await adapter.generate()).output.choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, finish)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_a_stop_sequence_is_found_over_the_borders_of_tokens_and_the_engine_stops(size: int) -> None:
    async with asked(Script(text="one two three", size=size)) as (adapter, engine):
        events, report = await adapter.stream(stop=["o thr", "zzz"])
        assert text_of(events) == "one tw"
        assert list(engine.last.sampling_params.stop) == ["o thr", "zzz"]
    assert 0 < report.usage.output_tokens <= 14
    assert report.source == usage_pb2.USAGE_SOURCE_PROVIDER


async def test_what_only_looked_like_a_stop_sequence_is_shown() -> None:
    async with asked(Script(text="one two thr")) as (adapter, _):
        events, _ = await adapter.stream(stop=["three"])
    assert text_of(events) == "one two thr"


@pytest.mark.parametrize("kind", KINDS)
async def test_log_probabilities_have_each_tokens_text_bytes_and_alternatives(kind: str) -> None:
    async with asked(Script(text="Hü"), kind) as (adapter, engine):
        events, _ = await adapter.stream(logprobs=generate_pb2.LogprobOptions(top=2))
        whole = (await adapter.generate(logprobs=generate_pb2.LogprobOptions(top=2))).output.choices[0].logprobs
    chances = [each for event in events for each in event.text.logprobs]
    assert [each.utf8 for each in chances] == [b"H", b"", b"", b"<|end|>"], "half a character has no bytes that a text could show"
    assert {each.logprob for each in chances} == {-0.25}
    assert {len(each.top) for each in chances} == {2}
    assert [each.token for each in whole] == [each.token for each in chances]
    assert engine.last.sampling_params.n == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_several_answers_are_told_apart_and_the_prompt_counts_once(kind: str, *, streamed: bool) -> None:
    texts = ["eins", "zwei", "drei 🌍"]
    async with asked(Script(answers=texts), kind) as (adapter, engine):
        adapter.most_candidates = 3
        if streamed:
            events, report = await adapter.stream(candidate_count=3)
            made = ["".join(each.text.text for each in events if each.text.choice == index) for index in range(3)]
            ends = [each.choice_finished.choice for each in events if each.HasField("choice_finished")]
        else:
            response = await adapter.generate(candidate_count=3)
            made, report = [each.message.parts[0].text.text for each in response.output.choices], response.report
            ends = [each.index for each in response.output.choices]
    assert (made, ends, engine.last.sampling_params.n) == (texts, [0, 1, 2], 3)
    assert report.usage.input_tokens == len(engine.last.tokenized.input_ids)
    assert report.usage.output_tokens == sum(len(text.encode()) + 1 for text in texts)
    assert report.source == usage_pb2.USAGE_SOURCE_PROVIDER


async def test_a_stop_sequence_ends_its_own_answer_alone() -> None:
    async with asked(Script(answers=["one two", "1 2 3"])) as (adapter, _):
        adapter.most_candidates = 2
        events, _ = await adapter.stream(candidate_count=2, stop=[" two"])
    assert ["".join(each.text.text for each in events if each.text.choice == index) for index in range(2)] == ["one", "1 2 3"]


async def test_an_answer_that_was_not_requested_is_malformed() -> None:
    async with asked(Script(answers=["eins", "zwei"], first=1)) as (adapter, _):
        assert (await failure_of(adapter)).reason_name == "PROVIDER_MALFORMED"


async def test_more_answers_than_were_granted_are_refused() -> None:
    async with asked(Script(answers=["eins", "zwei"])) as (adapter, engine):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate(candidate_count=2)
        assert from_rpc_error(failure.value).reason_name == "GRANT_MISMATCH"
        assert engine.requests == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(ends_after=0), "PROVIDER_RESET"),
        (Script(ends_after=3), "PROVIDER_RESET"),
        (Script(raw=b"\xff\xff\xff"), "PROVIDER_MALFORMED"),
        (Script(raw=b""), "PROVIDER_MALFORMED"),
        (Script(finish="abort"), "PROVIDER_ERROR"),
        (Script(finish="error"), "PROVIDER_ERROR"),
        (Script(fails=grpc.StatusCode.INVALID_ARGUMENT, details="temperature must be positive"), "PROVIDER_REJECTED"),
        (Script(fails=grpc.StatusCode.INVALID_ARGUMENT, details="The prompt is longer than the maximum model length"), "CONTEXT_EXCEEDED"),
        (Script(fails=grpc.StatusCode.INTERNAL, details="EngineDeadError"), "PROVIDER_ERROR"),
        (Script(fails=grpc.StatusCode.UNAVAILABLE, details="no capacity"), "PROVIDER_ERROR"),
        (Script(fails=grpc.StatusCode.RESOURCE_EXHAUSTED, details="queue full"), "PROVIDER_RATE_LIMITED"),
        (Script(fails=grpc.StatusCode.UNAUTHENTICATED, details="who are you"), "PROVIDER_UNAUTHENTICATED"),
        (Script(fails=grpc.StatusCode.NOT_FOUND, details="no such LoRA"), "PROVIDER_MODEL_NOT_FOUND"),
        (Script(fails=grpc.StatusCode.UNIMPLEMENTED, details="Generate"), "UNSUPPORTED"),
        (Script(fails=grpc.StatusCode.INTERNAL, details="lost a rank", fails_after=4), "PROVIDER_ERROR"),
        (Script(fails=grpc.StatusCode.ABORTED, details="preempted", fails_after=4), "PROVIDER_ERROR"),
    ],
)
async def test_what_goes_wrong_has_its_reason(script: Script, reason: str, kind: str) -> None:
    async with asked(script, kind) as (adapter, _):
        assert (await failure_of(adapter)).reason_name == reason


async def test_a_failure_after_content_tells_what_was_used() -> None:
    async with asked(Script(fails=grpc.StatusCode.INTERNAL, details="lost a rank", fails_after=4)) as (adapter, _):
        error = await failure_of(adapter)
    assert int(error.metadata["output_tokens"]) > 0
    assert error.metadata["provider_message"] == "lost a rank"
    assert error.metadata["provider_code"] == "INTERNAL"
