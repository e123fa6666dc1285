"""Kept answers: what the gateway records for policy to keep, and how it repeats it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from google.protobuf.message import Message

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import errors_pb2, policy_pb2, usage_pb2
from llm_mesh_gateway.domain.recording import RECORDED, Recording, RecordingRoom
from llm_mesh_gateway.settings import Settings
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.gateway.conftest import KEY, Mesh, running, said
from tests.gateway.fakes import PolicyError, Script, StreamEvent, choice_finished, failure, passed, saying, started, text

ONCE = gateway_pb2.RequestOptions(idempotency_key="once")
ROOMY = 1024 * 1024
FIRST = usage_pb2.LedgerEntry(
    name="domains/claims/projects/triage/reservations/01first",
    request_id="the-first",
    decision_id="d0",
    charged=resources_pb2.Money(currency="USD", nanos=77),
    lines=[usage_pb2.ChargeLine(model="domains/shared/models/big")],
)
REFUSAL = PolicyError(errors_pb2.ERROR_REASON_IDEMPOTENCY_COMPLETED, "the first request has ended", answer="kept", reservation=FIRST.name)
TOOLS = (
    started(),
    text("let me look"),
    StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="call-1", name="look")),
    StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='{"at":')),
    StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='"it"}')),
    choice_finished(),
    StreamEvent(finished=generate_pb2.Finished()),
)


@pytest.fixture(params=["local", "grpc"])
async def keeping(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    """A gateway whose policy keeps answers."""
    made = Mesh(link=request.param)
    made.policy.answer_limit = ROOMY
    async with running(made):
        yield made


def repeat(mesh: Mesh, *messages: Message) -> None:
    """From now on policy refuses the reservation, and has this answer."""
    recorded = gateway_pb2.RecordedAnswer(messages=[each.SerializeToString() for each in messages], model="domains/shared/models/big")
    recorded.total.FromMilliseconds(1500)
    mesh.policy.refuses = REFUSAL
    mesh.policy.kept = policy_pb2.GetKeptAnswerResponse(
        entry=FIRST, answer=policy_pb2.KeptAnswer(type=RECORDED, content=recorded.SerializeToString())
    )


def keep_what_was_settled(mesh: Mesh) -> None:
    """As policy does."""
    mesh.policy.refuses = REFUSAL
    mesh.policy.kept = policy_pb2.GetKeptAnswerResponse(entry=FIRST, answer=mesh.policy.settled[-1].answer)


def check_replayed(receipt: gateway_pb2.Receipt) -> None:
    """It cost nothing, and says what the first request cost."""
    assert receipt.replayed
    assert (receipt.charged.currency, receipt.charged.nanos, len(receipt.lines)) == ("USD", 0, 0)
    assert (receipt.reservation, receipt.decision_id) == (FIRST.name, "d0")
    assert receipt.request_id != "the-first"
    first = receipt.first
    assert (first.request_id, first.charged.nanos, len(first.lines), first.decision_id) == ("the-first", 77, 1, "d0")


async def test_a_whole_answer_is_repeated_as_it_was(keeping: Mesh) -> None:
    first = await keeping.generate(options=ONCE)
    assert not first.receipt.replayed
    settled = keeping.policy.settled[-1]
    assert (settled.idempotency_key, settled.answer.type) == ("once", RECORDED)
    keep_what_was_settled(keeping)
    again = await keeping.generate(options=ONCE)
    assert again.output == first.output
    check_replayed(again.receipt)
    assert again.receipt.model == again.receipt.first.model == first.receipt.model
    assert again.receipt.first.total == gateway_pb2.RecordedAnswer.FromString(settled.answer.content).total
    (asked,) = keeping.policy.kept_asked
    reserved = keeping.policy.reserved[-1]
    assert (asked.idempotency_key, asked.request_digest) == ("once", reserved.request_digest)
    assert asked.admission == reserved.admission
    assert len(keeping.adapter.asked) == len(keeping.policy.settled) == 1, "no provider is asked, nothing is settled"


async def test_a_stream_is_repeated_event_by_event(keeping: Mesh) -> None:
    keeping.adapter.scripts["model-1"] = Script(TOOLS)
    first, error = await keeping.streamed(options=ONCE)
    assert error is None
    keep_what_was_settled(keeping)
    again, error = await keeping.streamed(options=ONCE)
    assert error is None
    events = [[event for message in messages for event in message.events] for messages in (first, again)]
    assert events[0] == events[1]
    assert [event.WhichOneof("kind") for event in events[1]][-1] == "usage"
    assert [message.replayed for message in first] == [False] * len(first)
    assert [message.replayed for message in again] == [True] + [False] * (len(again) - 1)
    assert (again[0].reservation, again[0].decision_id) == (FIRST.name, "d0")
    check_replayed(again[-1].receipt)


async def test_a_long_stream_is_repeated_in_many_messages(keeping: Mesh) -> None:
    words = tuple(f"word number {number} of a long answer, " for number in range(1000))
    keeping.adapter.scripts["model-1"] = saying(*words)
    await keeping.streamed(options=ONCE)
    keep_what_was_settled(keeping)
    again, error = await keeping.streamed(options=ONCE)
    assert error is None
    assert said(again) == "".join(words)
    assert max(message.ByteSize() for message in again) < 16 * 1024


async def test_vectors_are_repeated(keeping: Mesh) -> None:
    asking = gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(model="gpt-4.1", items=[embed_pb2.EmbedItem(text="hi")]), options=ONCE)
    first = await keeping.stub.Embed(asking, metadata=KEY, timeout=20)
    keep_what_was_settled(keeping)
    again = await keeping.stub.Embed(asking, metadata=KEY, timeout=20)
    assert again.output == first.output
    check_replayed(again.receipt)


@pytest.mark.parametrize(
    ("limit", "options"), [(0, ONCE), (ROOMY, None), (8, ONCE)], ids=["project keeps none", "no key", "larger than it may be"]
)
async def test_what_is_not_kept_is_not_handed_over(keeping: Mesh, limit: int, options: gateway_pb2.RequestOptions | None) -> None:
    keeping.policy.answer_limit = limit
    await keeping.generate(options=options)
    await keeping.streamed(options=options)
    assert [(settled.HasField("answer"), settled.idempotency_key) for settled in keeping.policy.settled] == [(False, "")] * 2


async def test_an_answer_that_broke_off_is_not_handed_over(keeping: Mesh) -> None:
    keeping.adapter.scripts["model-1"] = Script((started(), text("half an"), failure("PROVIDER_RESET", sent="true")))
    _, error = await keeping.streamed(options=ONCE)
    assert error is not None
    assert not keeping.policy.settled[-1].HasField("answer")


async def test_a_gateway_without_room_keeps_nothing_and_answers_all_the_same() -> None:
    made = Mesh(settings=Settings(heartbeat=timedelta(seconds=0.05), recorded_answer_bytes=40))
    made.policy.answer_limit = ROOMY
    made.adapter.scripts["model-1"] = saying(*["some words"] * 20)
    async with running(made):
        messages, error = await made.streamed(options=ONCE)
    assert error is None
    assert said(messages) == "some words" * 20
    assert not made.policy.settled[-1].HasField("answer")


async def test_a_settlement_that_waits_takes_its_answer_along(keeping: Mesh) -> None:
    keeping.policy.settle_fails = 1
    await keeping.generate(options=ONCE)
    await asyncio.wait_for(keeping.policy.ended.wait(), 10)
    assert keeping.policy.settled[-1].answer.type == RECORDED


async def test_a_recorded_answer_gives_its_room_back() -> None:
    room = RecordingRoom(10)
    recording = Recording(100, room)
    recording.add(b"12345678")
    assert not room.take(3)
    recording.add(b"12345678")  # no room: what was recorded is worth nothing
    assert recording.packed("", "", 0.0) is None
    recording.close()
    assert room.take(10)


async def test_an_answer_that_becomes_too_large_takes_no_more_room() -> None:
    room = RecordingRoom(100)
    recording = Recording(10, room)
    recording.add(b"12345678")
    recording.add(b"12345678")
    assert room.take(100), "it is not recorded any more"


async def test_todays_screening_applies_to_an_answer_of_before(keeping: Mesh) -> None:
    keeping.policy.admission.obligations.items.add().screen_output.state = b"state"
    keeping.policy.screen = lambda piece: [passed(piece, piece.text.replace("secret", "******"))]
    repeat(keeping, gateway_pb2.GenerateStreamResponse(events=[started(), text("a secret "), text("here"), choice_finished()]))
    messages, error = await keeping.streamed(options=ONCE)
    assert error is None
    assert said(messages) == "a ****** here"
    check_replayed(messages[-1].receipt)


async def test_what_screening_blocks_today_is_not_repeated_and_costs_nothing(keeping: Mesh) -> None:
    keeping.policy.admission.obligations.items.add().screen_output.state = b"state"
    keeping.policy.screen = lambda piece: [policy_pb2.ScreenStreamResponse(channel=piece.channel, index=piece.index, blocked=True)]
    repeat(keeping, gateway_pb2.GenerateStreamResponse(events=[started(), text("a bomb"), choice_finished()]))
    messages, error = await keeping.streamed(options=ONCE)
    assert error is not None
    assert (error.reason_name, error.metadata["charged_nanos"], said(messages)) == ("SCREENING_FAILED", "0", "")


@pytest.mark.parametrize("kept", ["gone", "of a later build", "garbled"])
async def test_where_the_answer_cannot_be_had_the_refusal_is_told(keeping: Mesh, kept: str) -> None:
    repeat(keeping, generate_pb2.GenerateOutput())
    assert keeping.policy.kept is not None
    if kept == "gone":
        keeping.policy.kept = None
    elif kept == "garbled":
        keeping.policy.kept.answer.content = b"\xff\xff"
    else:
        keeping.policy.kept.answer.type = "llm_mesh.gateway.v2.RecordedAnswer"
    with pytest.raises(Exception, match="the first request has ended") as refused:
        await keeping.generate(options=ONCE)
    error: MeshError = from_rpc_error(refused.value)  # type: ignore[arg-type]
    assert (error.reason_name, error.metadata["reservation"]) == ("IDEMPOTENCY_COMPLETED", FIRST.name)


async def test_a_refusal_without_an_answer_asks_for_none(keeping: Mesh) -> None:
    keeping.policy.refuses = PolicyError(errors_pb2.ERROR_REASON_IDEMPOTENCY_COMPLETED, "the first request has ended")
    with pytest.raises(Exception, match="the first request has ended"):
        await keeping.generate(options=ONCE)
    assert keeping.policy.kept_asked == []


MASKED = [usage_pb2.ScreeningCount(detector="credit_card", masked=1, direction=usage_pb2.SCREENING_DIRECTION_REQUEST)]


async def test_a_masked_request_that_gets_its_kept_answer_is_not_told_as_refused(keeping: Mesh) -> None:
    keeping.policy.admission = policy_pb2.AdmitResponse(screened=MASKED)
    await keeping.generate(options=ONCE)
    keep_what_was_settled(keeping)
    again = await keeping.generate(options=ONCE)
    check_replayed(again.receipt)
    assert list(again.receipt.screened) == MASKED
    assert not keeping.policy.released


async def test_a_masked_request_whose_kept_answer_is_gone_is_told_as_refused(keeping: Mesh) -> None:
    keeping.policy.admission = policy_pb2.AdmitResponse(screened=MASKED)
    keeping.policy.refuses = REFUSAL
    with pytest.raises(grpc.aio.AioRpcError):
        await keeping.generate(options=ONCE)
    await asyncio.wait_for(keeping.policy.ended.wait(), 10)
    (release,) = keeping.policy.released
    assert (release.refusal.reason, release.reservation_id) == ("IDEMPOTENCY_COMPLETED", keeping.policy.reserved[-1].reservation_id)
