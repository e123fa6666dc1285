"""Money under cancellation and failure: nothing stays held, nothing is charged twice, nothing is forgotten."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_gateway.domain import settlements
from llm_mesh_gateway.settings import Settings
from tests.gateway.conftest import KEY, Mesh, request, running, said
from tests.gateway.fakes import FakePolicy, Say, Script, choice_finished, report, started, text


async def test_a_client_that_leaves_ends_the_attempt_at_once_and_is_charged_what_came(linked: Mesh) -> None:
    linked.adapter.scripts["model-1"] = Script((started(), text("0123456789abcdef"), linked.adapter.wait))
    call = linked.stream()
    assert said([await call.read()]) == "0123456789abcdef"
    await linked.adapter.waiting.wait()
    call.cancel()
    async with asyncio.timeout(2.5):
        await linked.adapter.cancelled.wait()
    async with asyncio.timeout(5):
        await linked.policy.ended.wait()
    (line,) = linked.policy.settled[0].lines
    assert line.outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert (line.usage.output_tokens, line.source) == (4, usage_pb2.USAGE_SOURCE_COUNTED)
    assert line.usage.input_tokens > 0
    assert len(linked.adapter.asked) == 1


async def left_at_its_end(mesh: Mesh, *behind: Say, **fields: Any) -> usage_pb2.UsageLine:
    """The line of a stream whose client left when it had read that the choice was finished."""
    mesh.adapter.scripts["model-1"] = Script((started(), text("0123456789abcdef"), choice_finished(), *behind), report(7, 9))
    call = mesh.stream(**fields)
    while not any(event.HasField("choice_finished") for event in (await call.read()).events):
        pass
    call.cancel()
    async with asyncio.timeout(5):
        await mesh.policy.ended.wait()
    (line,) = mesh.policy.settled[0].lines
    assert line.outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED
    return line


async def test_a_client_that_leaves_when_all_is_said_is_charged_what_the_provider_says(linked: Mesh) -> None:
    async def later() -> None:
        await asyncio.sleep(0.05)

    line = await left_at_its_end(linked, later)
    assert (line.usage.input_tokens, line.usage.output_tokens, line.source) == (7, 9, usage_pb2.USAGE_SOURCE_PROVIDER)
    assert not linked.adapter.cancelled.is_set()


async def test_a_provider_that_says_nothing_more_is_waited_for_within_the_bound() -> None:
    async with running(Mesh(settings=Settings(late_usage=timedelta(seconds=0.05)))) as mesh:
        line = await left_at_its_end(mesh, mesh.adapter.wait)
        await asyncio.wait_for(mesh.adapter.cancelled.wait(), 5)
    assert (line.usage.output_tokens, line.source) == (4, usage_pb2.USAGE_SOURCE_COUNTED)


async def test_a_provider_that_goes_on_for_ever_is_read_within_the_bound() -> None:
    async with running(Mesh(settings=Settings(late_usage=timedelta(seconds=10), late_usage_bytes=1_000))) as mesh:
        await left_at_its_end(mesh, *[text("x" * 100)] * 30, mesh.adapter.wait)
        await asyncio.wait_for(mesh.adapter.ended.wait(), 5)


@pytest.mark.parametrize(("late_usage", "choices"), [(0, 1), (10, 2)], ids=["never", "another choice goes on"])
async def test_a_stream_that_is_not_to_be_read_on_ends_at_once(late_usage: int, choices: int) -> None:
    async with running(Mesh(settings=Settings(late_usage=timedelta(seconds=late_usage)))) as mesh:
        line = await left_at_its_end(mesh, mesh.adapter.wait, candidate_count=choices)
        await asyncio.wait_for(mesh.adapter.ended.wait(), 5)
    assert line.source == usage_pb2.USAGE_SOURCE_COUNTED


async def test_a_client_that_leaves_a_whole_answer_is_settled_too(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = Script((mesh.adapter.wait,))
    call = mesh.stub.Generate(request(gateway_pb2.GenerateRequest), metadata=KEY)
    await mesh.adapter.waiting.wait()
    call.cancel()
    async with asyncio.timeout(2.5):
        await mesh.adapter.cancelled.wait()
    await mesh.policy.ended.wait()
    assert mesh.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED


async def test_a_deadline_that_passes_is_settled_like_a_client_that_leaves(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = Script((started(), text("x"), mesh.adapter.wait))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in mesh.stub.GenerateStream(request(gateway_pb2.GenerateStreamRequest), metadata=KEY, timeout=0.2):
            pass
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await mesh.policy.ended.wait()
    assert [line.attempt_id for line in mesh.policy.settled[0].lines] == ["a1"]


async def test_a_cancelled_reserve_is_released(mesh: Mesh) -> None:
    mesh.policy.hold_reserve = asyncio.Event()
    call = mesh.stub.Generate(request(gateway_pb2.GenerateRequest), metadata=KEY)
    await mesh.policy.reserving.wait()
    call.cancel()
    await mesh.policy.ended.wait()
    assert mesh.policy.released[0].reservation_id == mesh.policy.reserved[0].reservation_id
    assert not mesh.adapter.asked


async def test_a_reserve_whose_fate_is_unknown_is_released(mesh: Mesh) -> None:
    mesh.policy.refuses = None
    mesh.policy.hold_reserve = asyncio.Event()
    with pytest.raises(grpc.aio.AioRpcError):
        await mesh.stub.Generate(request(gateway_pb2.GenerateRequest), metadata=KEY, timeout=0.1)
    await mesh.policy.ended.wait()
    assert mesh.policy.released


async def test_a_settlement_is_repeated_until_it_is_acknowledged(mesh: Mesh) -> None:
    mesh.policy.settle_fails = 3
    answer = await mesh.generate()
    assert answer.output.choices
    assert not answer.receipt.HasField("charged")
    await mesh.policy.ended.wait()
    assert [each.reservation_id for each in mesh.policy.settled] == [mesh.policy.reserved[0].reservation_id]


async def test_an_answer_does_not_wait_long_for_a_settlement_that_hangs(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlements, "_TIMEOUT", 0.05)
    mesh.policy.hold_settle = asyncio.Event()
    answer = await mesh.generate()
    assert not answer.receipt.HasField("charged")
    mesh.policy.hold_settle.set()
    await mesh.policy.ended.wait()
    assert [each.reservation_id for each in mesh.policy.settled] == [mesh.policy.reserved[0].reservation_id]


async def test_one_of_several_gateways_answers_only_once_policy_knows_what_was_used(tmp_path: Path) -> None:
    made = Mesh()
    made.policy.settle_fails = 2
    async with running(made, process="main", sockets=str(tmp_path / "run")):
        assert (await made.generate()).output.choices
        assert made.policy.settled, "whoever dies with policy must not have answered before"


async def test_a_client_that_leaves_during_the_settlement_does_not_cancel_it(mesh: Mesh) -> None:
    mesh.policy.hold_settle = asyncio.Event()
    call = mesh.stub.Generate(request(gateway_pb2.GenerateRequest), metadata=KEY)
    await mesh.policy.settling.wait()
    call.cancel()
    mesh.policy.hold_settle.set()
    await mesh.policy.ended.wait()
    assert mesh.policy.settled[0].lines[0].outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED


async def test_too_many_open_settlements_refuse_new_requests() -> None:
    mesh = Mesh(settings=Settings(most_open_settlements=1, drain=timedelta(seconds=0.05)))
    mesh.policy.settle_fails = 10_000
    async with running(mesh):
        await mesh.generate()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await mesh.generate()
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(mesh.policy.admitted) == len(mesh.policy.reserved) == 1, "refused before anything of it is to be told to policy"


async def test_closing_waits_for_settlements_and_then_says_goodbye() -> None:
    mesh = Mesh()
    async with running(mesh):
        await mesh.policy.beaten.wait()
        mesh.policy.settle_fails = 2
        await mesh.generate()
    assert len(mesh.policy.settled) == 1
    assert mesh.policy.heartbeats[-1].closing


async def test_a_restart_tells_which_epoch_it_replaces(tmp_path: Path) -> None:
    epochs = []
    for _ in range(2):
        mesh = Mesh(policy=FakePolicy())
        async with running(mesh, data_dir=tmp_path):
            await mesh.policy.beaten.wait()
            epochs.append(mesh.policy.heartbeats[0])
    assert epochs[0].replaces_epoch == ""
    assert epochs[1].replaces_epoch == epochs[0].epoch
    assert epochs[1].epoch != epochs[0].epoch


async def test_heartbeats_go_on(mesh: Mesh) -> None:
    for _ in range(3):
        mesh.policy.beaten.clear()
        await mesh.policy.beaten.wait()
    assert len({each.epoch for each in mesh.policy.heartbeats}) == 1


async def test_an_idempotency_key_travels_with_a_digest_of_the_request(mesh: Mesh) -> None:
    options = gateway_pb2.RequestOptions(idempotency_key="once")
    for words in ("hi", "hi", "other"):
        await mesh.generate(words=words, options=options)
    await mesh.streamed(options=options)
    keys = [(each.idempotency_key, each.request_digest) for each in mesh.policy.reserved]
    assert {key for key, _ in keys} == {"once"}
    assert keys[0] == keys[1]
    assert len({digest for _, digest in keys}) == 3
    assert all(len(digest) == 32 for _, digest in keys)


async def test_without_a_key_nothing_is_hashed(mesh: Mesh) -> None:
    await mesh.generate()
    assert mesh.policy.reserved[0].request_digest == b""


async def test_tags_reach_policy(mesh: Mesh) -> None:
    await mesh.generate(options=gateway_pb2.RequestOptions(tags={"team": "a"}))
    assert dict(mesh.policy.admitted[0].tags) == {"team": "a"}


async def test_a_slow_reader_slows_the_provider_down(mesh: Mesh) -> None:
    produced = 0

    async def count() -> None:
        nonlocal produced
        produced += 1

    flood = tuple(each for _ in range(2000) for each in (text("x" * 1000), count))
    mesh.adapter.scripts["model-1"] = Script(flood)
    call = mesh.stream()
    await call.read()
    for _ in range(200):
        await asyncio.sleep(0)
    assert produced < 500
    call.cancel()
    await mesh.policy.ended.wait()


async def test_a_slow_reader_that_leaves_ends_the_attempt_too(linked: Mesh) -> None:
    """The gateway waits for its reader then, and not for the adapter."""
    linked.adapter.scripts["model-1"] = Script(tuple(text("x" * 50_000) for _ in range(400)))
    call = linked.stream()
    await call.read()
    for _ in range(50):
        await asyncio.sleep(0.002)  # until nothing moves any more
    call.cancel()
    async with asyncio.timeout(2):
        await linked.adapter.ended.wait()
        await linked.policy.ended.wait()


async def test_a_call_without_a_credential_is_refused(mesh: Mesh) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await mesh.stub.Generate(request(gateway_pb2.GenerateRequest))
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not mesh.policy.admitted
