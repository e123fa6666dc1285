"""Choices, calls and results of another mesh stand where they were requested, in their order, and end once."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, generate_pb2, moderate_pb2, rerank_pb2
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_mesh.provider.answers import StreamOrder, check_results
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_mesh.other_mesh import OtherMesh, linked, receipt
from tests.adapter_mesh.test_mesh_failures import error, failure_at
from tests.adapter_mesh.test_mesh_strangers import Stranger, reason_of

Event = generate_pb2.StreamEvent


def started() -> Event:
    return Event(started=generate_pb2.Started(id="a"))


def text(choice: int = 0) -> Event:
    return Event(text=generate_pb2.TextDelta(choice=choice, text="x"))


def call(index: int, choice: int = 0) -> Event:
    return Event(tool_call_started=generate_pb2.ToolCallStarted(choice=choice, index=index, id="c", name="f"))


def arguments(index: int, choice: int = 0) -> Event:
    return Event(tool_call=generate_pb2.ToolCallDelta(choice=choice, index=index, arguments_json="{"))


def end(choice: int = 0) -> Event:
    return Event(choice_finished=generate_pb2.ChoiceFinished(choice=choice))


LAST = Event(finished=generate_pb2.Finished())


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([text(2)], "choice 2, where 2 were requested"),
        ([text(-1)], "choice -1"),
        ([text(1), end(1), text(1)], "more of choice 1 after its end"),
        ([end(0), end(0)], "more of choice 0 after its end"),
        ([text(), LAST, text()], "events after the end"),
        ([LAST, LAST], "events after the end"),
        ([started(), text(), started()], "a second beginning"),
        ([text(), started()], "a second beginning"),
        ([arguments(0)], "arguments of call 0, which has not begun"),
        ([call(0), arguments(1)], "arguments of call 1"),
        ([call(0), arguments(0, 1)], "arguments of call 0"),
        ([call(1), call(0)], "call 0 out of its order"),
        ([call(0), call(0)], "call 0 out of its order"),
        ([call(-1)], "call -1 out of its order"),
        ([call(5_000)], "call 5000 out of its order"),
    ],
)
def test_events_that_cannot_stand_where_they_do_are_refused(events: list[Event], why: str) -> None:
    for split in (1, len(events)):
        order = StreamOrder("hq", 2)
        with pytest.raises(AdapterError, match=why):  # noqa: PT012 - the event that fails may stand in any part
            for begin in range(0, len(events), split):
                order.check(events[begin : begin + split])


def test_choices_may_come_side_by_side() -> None:
    order = StreamOrder("hq", 2)
    order.check([started(), text(), text(1), call(0), arguments(0), call(0, 1), call(1), arguments(1), arguments(0), end(1), text(), end()])
    assert not order.ended
    order.check([Event(usage=generate_pb2.Usage(input_tokens=1)), LAST])
    assert order.ended


async def test_an_answer_with_two_ends_is_none() -> None:
    assert await reason_of("GenerateStream", Stranger(events=[text(), end(), LAST, text(), LAST], end=[])) == "PROVIDER_MALFORMED"
    assert await reason_of("GenerateStream", Stranger(events=[text(1)])) == "PROVIDER_MALFORMED"


@pytest.mark.parametrize("indices", [[1], [0, 0], [0, 1], [-1]])
async def test_a_whole_answer_has_the_requested_choices_once(indices: list[int]) -> None:
    message = content_pb2.Message(parts=[content_pb2.Part(text=content_pb2.Text(text="x"))])
    output = generate_pb2.GenerateOutput(choices=[generate_pb2.Choice(index=index, message=message) for index in indices])
    assert await reason_of("Generate", Stranger(output=output)) == "PROVIDER_MALFORMED"


TWO = rerank_pb2.RerankInput(documents=[rerank_pb2.RerankDocument(text="a"), rerank_pb2.RerankDocument(text="b")])
CHOOSING = assess_pb2.AssessInput(questions=[assess_pb2.AssessQuestion(choice=assess_pb2.ChoiceQuestion(options=[{"text": "a"}]))])


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (TWO, rerank_pb2.RerankOutput(results=[{"index": 2}])),
        (TWO, rerank_pb2.RerankOutput(results=[{"index": -1}])),
        (TWO, rerank_pb2.RerankOutput(results=[{"index": 1}, {"index": 1}])),
        (TWO, rerank_pb2.RerankOutput(results=[{}, {"index": 1}, {"index": 1}])),
        (moderate_pb2.ModerateInput(items=[{}]), moderate_pb2.ModerateOutput(results=[{}, {}])),
        (generate_image_pb2.GenerateImageInput(), generate_image_pb2.GenerateImageOutput(images=[{}, {}])),
        (CHOOSING, assess_pb2.AssessOutput(answers=[{}, {}])),
        (CHOOSING, assess_pb2.AssessOutput(answers=[{"choice": {"option": 1}}])),
    ],
)
def test_results_stand_at_what_was_requested(source: Any, wrong: Any) -> None:
    with pytest.raises(AdapterError, match="answered what cannot be understood"):
        check_results("hq", source, wrong)


@pytest.mark.parametrize("right", [rerank_pb2.RerankOutput(results=[{"index": 1}, {"index": 0}]), rerank_pb2.RerankOutput()])
def test_results_may_be_fewer_and_in_any_order(right: Any) -> None:
    check_results("hq", TWO, right)


async def test_a_method_of_another_mesh_is_checked() -> None:
    class Inventing(OtherMesh):
        async def Rerank(self, request: Any, context: Any) -> gateway_pb2.RerankResponse:
            return gateway_pb2.RerankResponse(output={"results": [{"index": 7}]}, receipt=receipt())

    async with linked(Inventing()) as made:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await made.stub.Rerank(made.granted("Rerank", input=TWO), timeout=20)
    assert from_rpc_error(failed.value, peer="adapter").reason_name == "PROVIDER_MALFORMED"


@pytest.mark.parametrize(
    ("currency", "charged"), [("EUR", True), ("", False), ("eur", False), ("EU", False), ("EURO", False), ("\u20ac", False)]
)
async def test_a_failed_attempt_is_charged_in_a_currency_or_not_at_all(currency: str, *, charged: bool) -> None:
    failed = error("gateway", "ALL_ATTEMPTS_FAILED")
    failed.metadata |= {"charged_nanos": "77", "charged_currency": currency}
    metadata = (await failure_at(OtherMesh(failure=failed))).metadata
    assert metadata.get("upstream_charged_nanos") == ("77" if charged else None)
    assert metadata.get("upstream_charged_currency") == (currency if charged else None)
