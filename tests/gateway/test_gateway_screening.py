"""Answers under screening: what goes out is what policy released, in the order of the answer, and nothing after a failure."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Script, StreamEvent, choice_finished, failure, passed, saying, started, text


@pytest.fixture(params=["local", "grpc"])
async def obliged(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    """A gateway whose policy obliges it to screen."""
    made = Mesh(link=request.param)
    made.policy.admission.obligations.items.add().screen_output.state = b"state"
    async with running(made):
        yield made


def masking(piece: policy_pb2.ScreenText) -> list[policy_pb2.ScreenStreamResponse]:
    return [passed(piece, piece.text.replace("secret", "******"))]


def blocking(piece: policy_pb2.ScreenText) -> list[policy_pb2.ScreenStreamResponse]:
    if "bomb" not in piece.text:
        return [passed(piece)]
    finding = policy_pb2.Finding(detector="weapons", action=policy_pb2.FINDING_ACTION_BLOCKED)
    return [policy_pb2.ScreenStreamResponse(channel=piece.channel, index=piece.index, blocked=True, findings=[finding])]


class Withholding:
    """Releases a channel's text only at its end."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], str] = {}

    def __call__(self, piece: policy_pb2.ScreenText) -> list[policy_pb2.ScreenStreamResponse]:
        key = (piece.channel, piece.index)
        self.kept[key] = self.kept.get(key, "") + piece.text
        return [passed(piece, self.kept[key])] if piece.final else []


async def test_a_stream_is_released_as_policy_lets_it(obliged: Mesh) -> None:
    obliged.policy.screen = masking
    obliged.adapter.scripts["model-1"] = saying("a secret ", "here")
    messages, error = await obliged.streamed()
    assert error is None
    assert said(messages) == "a ****** here"
    kinds = [event.WhichOneof("kind") for message in messages for event in message.events]
    assert [kind for kind in kinds if kind != "text"] == ["started", "choice_finished", "finished", "usage"]
    assert kinds.index("choice_finished") > max(index for index, kind in enumerate(kinds) if kind == "text")
    assert messages[-1].receipt.charged.nanos == 1234
    assert obliged.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED


async def test_a_whole_answer_goes_the_same_way(obliged: Mesh) -> None:
    obliged.policy.screen = masking
    obliged.adapter.scripts["model-1"] = saying("a secret ", "here")
    answer = await obliged.generate()
    assert answer.output.choices[0].message.parts[0].text.text == "a ****** here"
    assert obliged.policy.screened[-1].final


async def test_what_is_withheld_until_the_end_still_comes_before_the_end(obliged: Mesh) -> None:
    obliged.policy.screen = Withholding()
    call = generate_pb2.ToolCallStarted(choice=0, index=0, id="c1", name="look")
    arguments = generate_pb2.ToolCallDelta(choice=0, index=0, arguments_json='{"a":1}')
    says = (
        started(),
        text("let me "),
        text("look"),
        StreamEvent(tool_call_started=call),
        StreamEvent(tool_call=arguments),
        choice_finished(),
    )
    obliged.adapter.scripts["model-1"] = Script(says)
    messages, error = await obliged.streamed()
    assert error is None
    kinds = [event.WhichOneof("kind") for message in messages for event in message.events]
    assert kinds == ["started", "text", "tool_call_started", "tool_call", "choice_finished", "usage"]
    assert said(messages) == "let me look"
    assert {piece.channel for piece in obliged.policy.screened} == {"text", "tool_name", "tool_call"}


async def test_choices_do_not_wait_for_each_other(obliged: Mesh) -> None:
    obliged.adapter.scripts["model-1"] = Script(
        (started(), text("a", 0), text("x", 1), text("b", 0), choice_finished(0), text("y", 1), choice_finished(1))
    )
    messages, error = await obliged.streamed(candidate_count=2)
    assert error is None
    texts = {0: "", 1: ""}
    for event in (event for message in messages for event in message.events):
        if event.HasField("text"):
            texts[event.text.choice] += event.text.text
    assert texts == {0: "ab", 1: "xy"}


async def test_a_refusal_releases_nothing_more_and_is_settled(obliged: Mesh) -> None:
    obliged.policy.screen = blocking
    harmless = "x" * 600
    obliged.adapter.scripts["model-1"] = Script((started(), text(harmless), text("a bomb" + harmless), obliged.adapter.wait))
    messages, error = await obliged.streamed()
    assert "bomb" not in said(messages)
    assert error is not None
    assert (error.reason_name, error.metadata["detectors"]) == ("SCREENING_FAILED", "weapons")
    await asyncio.wait_for(obliged.adapter.cancelled.wait(), 10)
    (line,) = obliged.policy.settled[0].lines
    assert (line.outcome, line.error_reason) == (usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED, "SCREENING_FAILED")


async def test_a_stream_that_is_blocked_at_its_end_is_not_read_on(obliged: Mesh) -> None:
    """Nobody waits for its usage: the provider's call ends, and with it what it takes of the model's bulkhead."""
    obliged.policy.screen = blocking
    obliged.adapter.scripts["model-1"] = Script((started(), text("a bomb"), choice_finished(), obliged.adapter.wait))
    _, error = await obliged.streamed()
    assert error is not None
    assert error.reason_name == "SCREENING_FAILED"
    await asyncio.wait_for(obliged.adapter.cancelled.wait(), 10)


async def test_a_refused_whole_answer_is_paid_and_not_seen(obliged: Mesh) -> None:
    obliged.policy.screen = blocking
    obliged.adapter.scripts["model-1"] = saying("a bomb")
    with pytest.raises(grpc.aio.AioRpcError):
        await obliged.generate()
    assert obliged.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED
    assert len(obliged.adapter.asked) == 1


async def test_screening_that_breaks_off_releases_nothing_more(obliged: Mesh) -> None:
    def breaking(piece: policy_pb2.ScreenText) -> list[policy_pb2.ScreenStreamResponse]:
        raise failure("PROVIDER_ERROR")

    obliged.policy.screen = breaking
    obliged.adapter.scripts["model-1"] = Script((started(), text("x" * 600), obliged.adapter.wait))
    messages, error = await obliged.streamed()
    assert said(messages) == ""
    assert error is not None
    assert error.reason_name == "SCREENING_FAILED"
    assert obliged.policy.settled


async def test_small_pieces_go_together_while_policy_owes_a_verdict(obliged: Mesh) -> None:
    obliged.policy.screen = Withholding()
    obliged.adapter.scripts["model-1"] = saying(*"abcdefghij")
    await obliged.streamed()
    assert len(obliged.policy.screened) < 5


async def test_a_piece_does_not_wait_for_the_next_one(obliged: Mesh) -> None:
    obliged.adapter.scripts["model-1"] = Script((started(), text("early"), obliged.adapter.wait))
    call = obliged.stream()
    words = ""
    async with asyncio.timeout(5):
        while words != "early":
            words += said([await call.read()])
    call.cancel()
    await obliged.policy.ended.wait()
    assert obliged.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED


async def test_log_probabilities_are_left_out_and_reported(obliged: Mesh) -> None:
    messages, _ = await obliged.streamed(logprobs=generate_pb2.LogprobOptions(top=2))
    translations = messages[0].events[0].started.translations
    assert [(each.field, each.action) for each in translations] == [("logprobs", generate_pb2.TRANSLATION_ACTION_DROPPED)]
    assert not obliged.adapter.asked[0].input.HasField("logprobs")


async def test_log_probabilities_with_exactness_are_refused(obliged: Mesh) -> None:
    exact = gateway_pb2.RequestOptions(fidelity=gateway_pb2.FIDELITY_EXACT)
    _, error = await obliged.streamed(logprobs=generate_pb2.LogprobOptions(), options=exact)
    assert error is not None
    assert (error.reason_name, error.metadata["field"]) == ("FIDELITY_LOST", "logprobs")
    await obliged.policy.ended.wait()
    (line,) = obliged.policy.released[0].lines
    assert (line.outcome, line.error_reason, line.error_field) == (usage_pb2.ATTEMPT_OUTCOME_NOT_SENT, "FIDELITY_LOST", "logprobs")
    assert not obliged.adapter.asked
    await obliged.streamed()
    await obliged.router.told.wait()
    assert [each.error_reason for each in obliged.router.reported] == [""], "a target that was never tried has no outcome for the router"


async def test_failing_over_before_content_works_under_screening(obliged: Mesh) -> None:
    obliged.adapter.scripts["model-1"] = Script((started(), failure("PROVIDER_RESET")))
    messages, error = await obliged.streamed()
    assert error is None
    assert said(messages) == "hello world"


@given(pieces=st.lists(st.text(max_size=700), max_size=8), withheld=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_it_is_split_the_same_text_comes(pieces: list[str], withheld: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    async def check() -> None:
        made = Mesh()
        made.policy.admission.obligations.items.add().screen_output.state = b"state"
        if withheld:
            made.policy.screen = Withholding()
        made.adapter.scripts["model-1"] = saying(*pieces)
        async with running(made):
            messages, error = await made.streamed()
        assert error is None
        assert said(messages) == "".join(pieces)

    asyncio.run(check())
