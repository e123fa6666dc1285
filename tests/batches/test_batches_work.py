"""How batches are worked off: each line once, with its owner's rights, as there is room."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_batches.domain.endpoints import ENDPOINTS
from llm_mesh_batches.domain.failures import repetition_of
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, PeerError, RuntimeFault
from tests.batches.batch_world import CHAT, FOREIGN, MESSAGES, TENANT, PlayedGateway, PlayedPolicy, instance, jsonl, line


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'batches.db'}", name="batches", time_limit=60)
    yield database
    await database.close()


def refused(
    domain: str, reason: str, *, retry_after: float | None = None, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, **more: str
) -> PeerError:
    return PeerError(code, f"played: {reason}", reason_name=reason, domain=domain, retry_after=retry_after, metadata=more)


async def test_each_line_has_its_answer_in_the_form_of_openai(store: Database) -> None:
    gateway, policy = PlayedGateway(), PlayedPolicy()
    async with instance(store, gateway=gateway, policy=policy) as one:
        batch = await one.of_file(jsonl([line("a", "say a"), line("b", "say b")]))
        ended = await one.worked_off(batch)
        assert (ended.state, ended.counts.succeeded) == (batches_pb2.BATCH_STATE_COMPLETED, 2)
        assert (ended.usage.input_tokens, ended.usage.output_tokens, ended.usage.charged[0].nanos) == (6, 4, 10)
        assert not ended.error_file
        lines = [json.loads(each) for each in (await one.content(ended.output_file)).splitlines()]
        assert {each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"] for each in lines} == {
            "a": "say a",
            "b": "say b",
        }
        assert {(each["response"]["status_code"], each["error"]) for each in lines} == {(200, None)}
        assert (await one.files.get(TENANT, ended.output_file)).bytes == len(await one.content(ended.output_file))
        assert policy.purposes == [f"batches/{batch.id}"]
        assert gateway.credentials == {"Bearer md_" + b"delegation of ana".hex()}


async def test_results_of_messages_are_in_the_words_of_anthropic(store: Database) -> None:
    def behave(said: str, attempt: int) -> MeshError | None:
        del attempt
        return refused("policy.llm-mesh", "BUDGET_EXCEEDED", code=grpc.StatusCode.RESOURCE_EXHAUSTED) if said == "say 2" else None

    async with instance(store, gateway=PlayedGateway(behave)) as one:
        ended = await one.worked_off(await one.begun(2, endpoint=MESSAGES))
        results = {each.custom_id: each for each in await one.results(ended)}
        assert json.loads(results["c1"].body_json)["content"][0]["text"] == "say 1"
        error = json.loads(results["c2"].body_json)
        assert (error["type"], error["error"]["llm_mesh_code"]) == ("error", "budget_exceeded")
        assert results["c2"].outcome == batches_pb2.LINE_OUTCOME_FAILED


async def test_a_line_that_the_dialect_does_not_take_fails_alone(store: Database) -> None:
    bad = json.dumps({"custom_id": "bad", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": 7}}).encode()
    streamed = line("streamed", body={"model": "m", "stream": True, "messages": []})
    async with instance(store) as one:
        ended = await one.worked_off(await one.of_file(jsonl([line("good"), bad, streamed])))
        assert (ended.counts.succeeded, ended.counts.failed) == (1, 2)
        errors = {each["custom_id"]: each["response"] for each in map(json.loads, (await one.content(ended.error_file)).splitlines())}
        assert {name: (each["status_code"], each["body"]["error"]["param"]) for name, each in errors.items()} == {
            "bad": (400, "messages"),
            "streamed": (400, "stream"),
        }


async def test_lines_wait_while_there_is_no_room_and_are_not_counted(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_batches.domain.line_work._FIRST_PAUSE", 0.0)

    def behave(said: str, attempt: int) -> MeshError | None:
        del said
        return RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, "played", retry_after=0.001) if attempt < 9 else None

    gateway = PlayedGateway(behave)
    async with instance(store, gateway=gateway, attempts=2) as one:
        ended = await one.worked_off(await one.begun(2))
        assert ended.counts.succeeded == 2
        assert gateway.attempts == {"say 1": 9, "say 2": 9}


async def test_a_provider_that_keeps_failing_is_tried_so_often(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_batches.domain.line_work._FIRST_PAUSE", 0.0)

    def behave(said: str, attempt: int) -> MeshError:
        del said, attempt
        return refused("gateway.llm-mesh", "ALL_ATTEMPTS_FAILED", retry_after=0.0, charged_nanos="0")

    gateway = PlayedGateway(behave)
    async with instance(store, gateway=gateway, attempts=3) as one:
        ended = await one.worked_off(await one.begun(1))
        assert (ended.counts.failed, gateway.attempts) == (1, {"say 1": 3})


def test_what_was_charged_is_never_repeated() -> None:
    assert repetition_of(refused("gateway.llm-mesh", "ALL_ATTEMPTS_FAILED", retry_after=1.0, charged_nanos="5")) is None
    assert repetition_of(refused("policy.llm-mesh", "IDEMPOTENCY_COMPLETED", charged_nanos="5")) is None
    assert repetition_of(refused("policy.llm-mesh", "BUDGET_EXCEEDED", retry_after=1.0)) is None
    assert repetition_of(refused("policy.llm-mesh", "IDEMPOTENCY_IN_PROGRESS")) is not None


async def test_a_revoked_key_fails_the_lines_that_are_left(store: Database) -> None:
    policy = PlayedPolicy()
    async with instance(store, policy=policy) as one:
        batch = await one.begun(3)
        active = (await one.queue.active())[0]
        await one.lines.work((await one.queue.claim(active, "one", 1, 60))[0])
        policy.refusal = refused("policy.llm-mesh", "INVALID_CREDENTIAL", code=grpc.StatusCode.UNAUTHENTICATED)
        ended = await one.worked_off(batch)
        assert (ended.counts.succeeded, ended.counts.failed) == (1, 2)
        failed = [each for each in await one.results(ended) if each.outcome == batches_pb2.LINE_OUTCOME_FAILED]
        assert {(each.status_code, json.loads(each.body_json)["error"]["code"]) for each in failed} == {(401, "invalid_credential")}


async def test_a_line_whose_process_was_lost_is_charged_once(store: Database) -> None:
    gateway = PlayedGateway()
    async with instance(store, gateway=gateway, owner="lost") as lost:
        batch = await lost.begun(2)
        active = (await lost.queue.active())[0]
        for each in await lost.queue.claim(active, "lost", 2, 60):  # asked and charged, and never kept
            await lost.lines._answered(each, ENDPOINTS[CHAT], "request")
    async with instance(store, gateway=gateway, owner="next") as following:
        await following.queue.release()
        ended = await following.worked_off(batch)
        assert (ended.counts.succeeded, ended.usage.charged[0].nanos) == (2, 10)
        assert (gateway.attempts, sorted(gateway.charged.values())) == ({"say 1": 2, "say 2": 2}, [5, 5])


async def test_a_cancelled_batch_keeps_what_has_ended_and_begins_nothing_more(store: Database) -> None:
    gateway = PlayedGateway()
    async with instance(store, gateway=gateway) as one:
        batch = await one.begun(4)
        active = (await one.queue.active())[0]
        under_way = await one.queue.claim(active, "one", 2, 60)
        await one.lines.work(under_way[0])
        assert (await one.batches.cancel(TENANT, batch.id)).state == batches_pb2.BATCH_STATE_CANCELLING
        await one.worker.round()
        present = await one.batches.get(TENANT, batch.id)
        assert (present.state, present.counts.cancelled, present.counts.processing) == (batches_pb2.BATCH_STATE_CANCELLING, 2, 1)
        await one.lines.work(under_way[1])
        ended = await one.batches.get(TENANT, batch.id)
        assert (ended.state, ended.counts.succeeded, ended.counts.cancelled) == (batches_pb2.BATCH_STATE_CANCELLED, 2, 2)
        assert sorted(gateway.attempts) == ["say 1", "say 2"]
        errors = [json.loads(each) for each in (await one.content(ended.error_file)).splitlines()]
        assert {each["error"]["code"] for each in errors} == {"batch_cancelled"}
        assert (await one.files.get(TENANT, ended.error_file)).bytes == len(await one.content(ended.error_file))


async def test_a_line_under_way_at_a_crash_is_finished_after_the_batch_was_cancelled(store: Database) -> None:
    async with instance(store) as one:
        batch = await one.begun(2)
        await one.queue.claim((await one.queue.active())[0], "lost", 1, -1)
        await one.batches.cancel(TENANT, batch.id)
        ended = await one.worked_off(batch)
        assert (ended.counts.succeeded, ended.counts.cancelled) == (1, 1)


async def test_lines_that_were_not_begun_in_time_expire(store: Database) -> None:
    async with instance(store, window=timedelta(seconds=1)) as one:
        batch = await one.begun(2)
        await one.lines.work((await one.queue.claim((await one.queue.active())[0], "one", 1, 60))[0])
        await store.write(lambda connection: connection.exec_driver_sql("UPDATE batches_batches SET expires = 1"))
        ended = await one.worked_off(batch)
        assert (ended.state, ended.counts.succeeded, ended.counts.expired) == (batches_pb2.BATCH_STATE_EXPIRED, 1, 1)


async def test_a_batch_that_does_not_open_stops_no_other(store: Database) -> None:
    async with instance(store) as one:
        broken, whole = await one.begun(1), await one.begun(1, tenant=FOREIGN)
        spoil = f"UPDATE batches_batches SET delegation = x'00' WHERE id = '{broken.id}'"  # noqa: S608 (an id of our own)
        await store.write(lambda connection: connection.exec_driver_sql(spoil))
        assert (await one.worked_off(whole, FOREIGN)).counts.succeeded == 1
        assert not (await one.batches.get(TENANT, broken.id)).HasField("end_time")


async def test_one_project_leaves_room_for_another(store: Database) -> None:
    async with instance(store, at_once=8, project_at_once=3) as one:
        await one.begun(9)
        other = await one.begun(9, tenant=FOREIGN)
        claims: dict[str, int] = {}
        claim = one.queue.claim

        async def counted(batch: object, owner: str, most: int, seconds: float) -> object:
            lines = await claim(batch, owner, most, seconds)  # type: ignore[arg-type]
            for each in lines:
                claims[each.batch] = claims.get(each.batch, 0) + 1
            return lines

        one.queue.claim = counted  # type: ignore[method-assign,assignment]
        await one.worker.round()
        assert claims == {other.id: 3, next(each for each in claims if each != other.id): 3}
