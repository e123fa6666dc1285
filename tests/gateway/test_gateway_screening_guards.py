"""What screening cannot read never leaves with an answer that is screened: sound, pictures, log-probabilities, what is not modelled."""

from collections.abc import AsyncIterator

import grpc
import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Script, StreamEvent, choice_finished, passed, started, text

SECRET = "secret"
EXTRA = content_pb2.Extra(dialect="openai", key="note", json=b'"secret"')
LOGPROB = generate_pb2.TokenLogprob(token=SECRET, logprob=-1, utf8=SECRET.encode(), top=[generate_pb2.TokenLogprob(token=SECRET)])


@pytest.fixture(params=["local", "grpc"])
async def obliged(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    """A gateway whose policy obliges it to screen, and masks a word."""
    made = Mesh(link=request.param)
    made.policy.admission.obligations.items.add().screen_output.state = b"state"

    def masking(piece: policy_pb2.ScreenText) -> list[policy_pb2.ScreenStreamResponse]:
        return [passed(piece, piece.text.replace(SECRET, "******"))]

    made.policy.screen = masking
    async with running(made):
        yield made


def whole(*parts: content_pb2.Part, **choice: object) -> Script:
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=parts, extras=[EXTRA])
    made = generate_pb2.Choice(message=message, extras=[EXTRA], **choice)  # type: ignore[arg-type]  # fields of the contract
    output = generate_pb2.GenerateOutput(id="up-1", model="upstream", choices=[made], extras=[EXTRA])
    output.usage.extras.append(EXTRA)
    return Script(whole=output)


MEDIA = [
    content_pb2.Part(audio=content_pb2.Media(data=b"RIFF", transcript=SECRET)),
    content_pb2.Part(image=content_pb2.Media(data=b"PNG")),
    content_pb2.Part(file=content_pb2.Media(file_id="secret")),
]


@pytest.mark.parametrize("part", MEDIA)
async def test_a_whole_answer_with_what_cannot_be_read_is_refused_and_paid(obliged: Mesh, part: content_pb2.Part) -> None:
    obliged.adapter.scripts["model-1"] = whole(content_pb2.Part(text=content_pb2.Text(text="here")), part)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await obliged.generate()
    assert from_rpc_error(refusal.value).reason_name == "SCREENING_FAILED"
    assert obliged.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED


async def test_a_stream_with_sound_releases_none_of_it_and_is_settled(obliged: Mesh) -> None:
    sound = StreamEvent(audio=generate_pb2.AudioDelta(choice=0, data=b"RIFF", transcript=SECRET))
    obliged.adapter.scripts["model-1"] = Script((started(), text("so "), sound, choice_finished()))
    messages, error = await obliged.streamed()
    assert error is not None
    assert error.reason_name == "SCREENING_FAILED"
    assert not any(event.HasField("audio") for message in messages for event in message.events)
    assert SECRET not in str(messages)
    assert obliged.policy.settled


async def test_a_whole_answer_has_no_log_probabilities_though_the_provider_sends_some(obliged: Mesh) -> None:
    obliged.adapter.scripts["model-1"] = whole(
        content_pb2.Part(text=content_pb2.Text(text="a secret")), logprobs=[LOGPROB], refusal_logprobs=[LOGPROB]
    )
    answer = await obliged.generate(logprobs=generate_pb2.LogprobOptions(top=1))
    assert answer.output.choices[0].message.parts[0].text.text == "a ******"
    assert not answer.output.choices[0].logprobs
    assert not answer.output.choices[0].refusal_logprobs
    assert [(each.field, each.action) for each in answer.output.translations] == [("logprobs", generate_pb2.TRANSLATION_ACTION_DROPPED)]
    assert SECRET not in str(answer)


async def test_a_stream_has_no_log_probabilities_though_the_provider_sends_some(obliged: Mesh) -> None:
    words = StreamEvent(text=generate_pb2.TextDelta(choice=0, text="a secret", logprobs=[LOGPROB]))
    refusal = StreamEvent(refusal=generate_pb2.TextDelta(choice=0, text="no secret", logprobs=[LOGPROB]))
    obliged.adapter.scripts["model-1"] = Script((started(), words, refusal, choice_finished()))
    messages, error = await obliged.streamed(logprobs=generate_pb2.LogprobOptions(top=1))
    assert error is None
    assert said(messages) == "a ******"
    assert SECRET not in str(messages)


async def test_names_of_tools_are_screened_and_extras_stay_behind(obliged: Mesh) -> None:
    begin = started()
    begin.started.extras.append(EXTRA)
    call = generate_pb2.ToolCallStarted(choice=0, index=0, id="c1", name="get_secret")
    usage = StreamEvent(usage=generate_pb2.Usage(input_tokens=1, extras=[EXTRA]))
    opaque = StreamEvent(opaque=content_pb2.OpaquePart(dialect="openai", type="x", json=b'"secret"'))
    ended, over = choice_finished(), StreamEvent(finished=generate_pb2.Finished(extras=[EXTRA]))
    ended.choice_finished.extras.append(EXTRA)
    obliged.adapter.scripts["model-1"] = Script((begin, StreamEvent(tool_call_started=call), opaque, ended, usage, over))
    messages, error = await obliged.streamed()
    assert error is None
    named = [event.tool_call_started.name for message in messages for event in message.events if event.HasField("tool_call_started")]
    assert named == ["get_******"]
    assert SECRET not in str(messages)


async def test_a_whole_answer_keeps_only_what_was_screened(obliged: Mesh) -> None:
    result = content_pb2.ToolResult(tool_call_id="c", parts=[content_pb2.Part(text=content_pb2.Text(text=SECRET))])
    obliged.adapter.scripts["model-1"] = whole(
        content_pb2.Part(tool_call=content_pb2.ToolCall(id="c1", name="get_secret", arguments_json='{"a": "secret"}'), extras=[EXTRA]),
        content_pb2.Part(tool_result=result),
        content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="openai", type="x", json=b'"secret"')),
        content_pb2.Part(text=content_pb2.Text(text="fine", annotations=[EXTRA])),
    )
    answer = await obliged.generate()
    assert [part.WhichOneof("kind") for part in answer.output.choices[0].message.parts] == ["tool_call", "text"]
    assert answer.output.choices[0].message.parts[0].tool_call.name == "get_******"
    assert SECRET not in str(answer)
