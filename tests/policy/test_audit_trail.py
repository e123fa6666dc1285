"""The audit trail is a chain per writer: what is changed, left out or moved shows, and what is undone leaves no gap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.audit.domain.entries import broken_link, entry_of, first_hash, next_hash
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.resources import Transaction
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, Half, World

ENTRY = AuditEntry("domains/claims", "requests.reserve", "domains/claims/reservations/x", allowed=True, principal="p", key="k")
Instances = Callable[[], Awaitable[Half]]


async def recorded(half: Half) -> list[rules_pb2.AuditRecord]:
    """All records, oldest first."""

    def work(transaction: Transaction) -> list[rules_pb2.AuditRecord]:
        return transaction.page_audit("", "", 0, 10_000)

    return list(reversed(await half.store.read(work)))


async def test_many_writers_at_once_make_whole_chains(over: Instances) -> None:
    halves = [await over(), await over()]

    def work(half: Half, number: int) -> Callable[[Connection], int]:
        return lambda connection: half.trail.append(SqlUnitOfWork(connection, half.database), replace(ENTRY, request_id=str(number)))

    sequences = await asyncio.gather(*(half.database.write(work(half, number)) for number in range(60) for half in halves))
    records = await recorded(halves[0])
    assert sorted(sequences) == [record.sequence for record in records]
    assert len(set(sequences)) == 120
    assert broken_link(records) is None
    assert len({record.writer for record in records}) >= 2


async def test_what_is_undone_leaves_no_gap_in_the_chain(over: Instances) -> None:
    half = await over()

    def good(connection: Connection) -> int:
        return half.trail.append(SqlUnitOfWork(connection, half.database), ENTRY)

    def bad(connection: Connection) -> int:
        half.trail.append(SqlUnitOfWork(connection, half.database), replace(ENTRY, detail="never"))
        half.trail.append(SqlUnitOfWork(connection, half.database), replace(ENTRY, detail="never either"))
        raise ValueError("refused")

    answers = await asyncio.gather(*(half.database.write(work) for work in [good, bad, good, bad, bad, good] * 5), return_exceptions=True)
    assert sum(isinstance(answer, ValueError) for answer in answers) == 15
    records = await recorded(half)
    assert len(records) == 15
    assert broken_link(records) is None
    assert not any(record.detail for record in records)


async def test_several_records_in_one_transaction_are_in_their_order(over: Instances) -> None:
    half = await over()

    def batch(connection: Connection) -> list[int]:
        return [half.trail.append(SqlUnitOfWork(connection, half.database), replace(ENTRY, detail=str(number))) for number in range(5)]

    sequences = await half.database.write(batch)
    records = await recorded(half)
    assert sequences == [record.sequence for record in records]
    assert [record.detail for record in records] == list("01234")
    assert broken_link(records) is None


def _added(half: Half, detail: str, connection: Connection) -> int:
    return half.trail.append(SqlUnitOfWork(connection, half.database), replace(ENTRY, detail=detail))


async def chain(half: Half, length: int) -> list[rules_pb2.AuditRecord]:
    for number in range(length):
        await half.database.write(partial(_added, half, str(number)))
    return await recorded(half)


@pytest.mark.parametrize("field", ["detail", "principal", "key", "action", "resource", "domain", "request_id"])
async def test_a_changed_text_breaks_the_chain(half: Half, field: str) -> None:
    records = await chain(half, 3)
    setattr(records[1], field, "forged")
    assert broken_link(records) is records[1]


async def test_a_changed_verdict_or_time_breaks_the_chain(half: Half) -> None:
    records = await chain(half, 3)
    records[1].allowed = False
    assert broken_link(records) is records[1]
    records = await recorded(half)
    records[1].time.nanos += 1000
    assert broken_link(records) is records[1]


async def test_a_record_that_was_taken_out_or_moved_breaks_the_chain(half: Half) -> None:
    records = await chain(half, 4)
    assert broken_link([*records[:1], *records[2:]]) is records[2]
    assert broken_link([records[0], records[2], records[1], records[3]]) is records[2]


texts = st.text(max_size=4)
entries = st.builds(
    AuditEntry,
    texts,
    texts,
    texts,
    allowed=st.booleans(),
    principal=texts,
    key=texts,
    detail=texts,
    request_id=texts,
    time=st.integers(0, 9),
)


@given(one=entries, other=entries)
def test_records_that_differ_have_hashes_that_differ(one: AuditEntry, other: AuditEntry) -> None:
    first = first_hash("w")
    assert (next_hash(first, "w", one) == next_hash(first, "w", other)) == (one == other)


def test_fields_do_not_run_into_each_other() -> None:
    first = first_hash("w")
    assert next_hash(first, "w", replace(ENTRY, principal="ab", key="c")) != next_hash(first, "w", replace(ENTRY, principal="a", key="bc"))


async def test_overlong_texts_are_cut_before_they_are_hashed(half: Half) -> None:
    await half.database.write(
        lambda connection: half.trail.append(
            SqlUnitOfWork(connection, half.database), replace(ENTRY, detail="x" * 5000, resource="y" * 5000)
        )
    )
    records = await recorded(half)
    assert len(records[0].detail) == 512
    assert broken_link(records) is None
    assert entry_of(records[0]).time > 0


async def test_every_change_is_recorded_with_who_made_it(world: World) -> None:
    await world.half.keyring.revoke(world.actor("claims/owner"), world.keys["claims/app"].key.name)
    request = rules_pb2.ListAuditRecordsRequest(parent="domains/claims", page_size=1)
    [record], token = await world.half.rules.audit_records("domains/claims", "", page_of(request))
    assert (record.action, record.resource, record.allowed) == ("keys.revoke", world.keys["claims/app"].key.name, True)
    assert (record.principal, record.key) == ("domains/claims/principals/owner", world.keys["claims/owner"].key.name)
    assert record.request_id == "request-of-claims/owner"
    assert token
    assert broken_link(await recorded(world.half)) is None


async def test_records_are_listed_newest_first_in_pages_and_by_request(world: World) -> None:
    found, token = [], ""
    while True:
        request = rules_pb2.ListAuditRecordsRequest(parent="domains/claims", page_size=3, page_token=token)
        shown, token = await world.half.rules.audit_records("domains/claims", "", page_of(request, "domains/claims"))
        found += [record.sequence for record in shown]
        assert all(record.domain == "domains/claims" for record in shown)
        if not token:
            break
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) > 6
    everything, _ = await world.half.rules.audit_records("domains/-", "", page_of(rules_pb2.ListAuditRecordsRequest(page_size=1000)))
    assert {record.domain for record in everything} == {"domains/platform", "domains/claims", "domains/sales"}
    none, _ = await world.half.rules.audit_records("domains/-", "another request", page_of(rules_pb2.ListAuditRecordsRequest()))
    assert not none
    mine, _ = await world.half.rules.audit_records(
        "domains/-", ADMIN.request_id, page_of(rules_pb2.ListAuditRecordsRequest(page_size=1000))
    )
    assert mine
