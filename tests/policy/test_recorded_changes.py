"""Changes of other services in the audit trail: each once, whole, and chained with everything else; heads say where chains end."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, text

from llm_mesh.policy.v1 import audit_pb2, rules_pb2
from llm_mesh.services import SERVICES
from llm_mesh_policy.audit.domain.entries import next_hash
from llm_mesh_policy.audit.domain.trail import Trail
from llm_mesh_policy.audit.store.reading import SqlTrail
from llm_mesh_policy.audit.store.tables import audit_heads
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.store.migrations import v0003_audit_of_changes
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.access import CallTable
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from llm_mesh_runtime.trail import Verifier, first_hash
from tests.policy.conftest import Half

Instances = Callable[[], Awaitable[Half]]
RECORD = "/llm_mesh.policy.v1.PolicyService/RecordChanges"


def change(event_id: str = "e1", **fields: Any) -> audit_pb2.ChangeRecord:
    made = audit_pb2.ChangeRecord(
        event_id=event_id,
        domain="domains/claims",
        principal="domains/claims/principals/owner",
        key="domains/claims/projects/p/keys/k",
        action="models.update",
        resource="domains/claims/models/m",
        before_digest=bytes(32),
        after_digest=b"\x01" * 32,
        reason="ticket 7",
        request_id="request-7",
    )
    made.time.FromSeconds(1_000)
    made.MergeFrom(audit_pb2.ChangeRecord(**fields))
    return made


def trail_of(half: Half) -> Trail:
    return Trail(SqlTrail(half.database, half.trail))


async def exported(trail: Trail, size: int = 3, newest: int = 0) -> tuple[list[rules_pb2.AuditRecord], list[audit_pb2.ChainHead]]:
    request = rules_pb2.ExportAuditRecordsRequest(parent="domains/-", page_size=size, newest=newest)
    found: list[rules_pb2.AuditRecord] = []
    while True:
        records, request.page_token, heads = await trail.export(request.parent, page_of(request), newest)
        found += records
        if not request.page_token:
            return found, list(heads)


def problems(records: list[rules_pb2.AuditRecord], heads: list[audit_pb2.ChainHead], *, whole: bool = True) -> list[Any]:
    verifier = Verifier(whole=whole)
    for record in records:
        verifier.add(record)
    return verifier.finish(heads)


async def test_an_event_is_recorded_once_per_service(over: Instances) -> None:
    half = await over()
    trail = trail_of(half)
    assert await trail.record("registry", [change(), change("e2")]) == 2
    assert await trail.record("registry", [change("e2"), change("e3"), change()]) == 1
    assert await trail.record("router", [change()]) == 1
    records, heads = await exported(trail)
    assert [(record.source, record.event_id) for record in records] == [
        ("registry", "e1"),
        ("registry", "e2"),
        ("registry", "e3"),
        ("router", "e1"),
    ]
    first = records[0]
    assert (first.principal, first.reason, first.after_digest, first.allowed) == (
        "domains/claims/principals/owner",
        "ticket 7",
        b"\x01" * 32,
        True,
    )
    assert first.time.seconds == 1_000
    assert problems(records, heads) == []


async def test_all_changes_of_a_call_are_recorded_or_none(half: Half) -> None:
    trail = trail_of(half)
    with pytest.raises(MeshError) as failure:
        await trail.record("registry", [change(), change("e2", action="x" * 2000)])
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", "changes[1].action")
    assert (await exported(trail))[0] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"event_id": "E 1"}, "event_id"),
        ({"domain": "claims"}, "domain"),
        ({"reason": "x" * 513}, "reason"),
        ({"before_digest": b"short"}, "before_digest"),
        ({"principal": "x" * 1025}, "principal"),
    ],
)
async def test_a_change_of_wrong_form_is_refused_with_its_field(half: Half, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MeshError) as failure:
        await trail_of(half).record("registry", [change(**fields)])
    assert failure.value.field == f"changes[0].{field}"


@pytest.mark.parametrize(
    "changes", [[], [change(str(number)) for number in range(501)], [change(), change()]], ids=["none", "too many", "twice"]
)
async def test_a_call_has_one_to_500_different_changes(half: Half, changes: list[audit_pb2.ChangeRecord]) -> None:
    with pytest.raises(MeshError) as failure:
        await trail_of(half).record("registry", changes)
    assert failure.value.field == "changes"


def test_only_services_that_keep_such_resources_record_changes() -> None:
    table = CallTable()
    recording = {each.name for each in SERVICES if each.records_changes}
    assert recording == {"registry", "router", "catalogue", "batches", "conversations"}, (
        "a test of what they record is due: tests/proofs/attacks/audited_changes.py"
    )
    for service in (*(each.name for each in SERVICES), "console", "up"):
        assert table.allows(service, "policy", RECORD) == (service in recording), service


def test_a_record_of_the_first_form_has_the_hash_that_it_always_had() -> None:
    entry = AuditEntry("domains/claims", "keys.revoke", "k", allowed=True, principal="p", key="q", detail="d", request_id="r", time=7)
    texts = ("w", "7", "domains/claims", "p", "q", "keys.revoke", "k", "1", "d", "r")
    hashed = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in texts)
    assert next_hash(first_hash("w"), "w", entry) == hashlib.sha256(first_hash("w") + hashed).digest()


async def test_heads_count_what_was_written_and_what_was_undone_is_not_counted(over: Instances) -> None:
    half = await over()
    trail = trail_of(half)

    def bad(connection: Connection) -> None:
        half.trail.append(SqlUnitOfWork(connection, half.database), AuditEntry("d", "a", "r", allowed=True))
        raise ValueError("undone")

    for number in range(4):
        await trail.record("registry", [change(f"e{number}")])
        with pytest.raises(ValueError, match="undone"):
            await half.database.write(bad)
    records, heads = await exported(trail)
    assert (len(records), sum(head.count for head in heads)) == (4, 4)
    assert problems(records, heads) == []


async def test_missing_newest_records_show_by_the_head(over: Instances) -> None:
    half = await over()
    trail = trail_of(half)
    await trail.record("registry", [change(f"e{number}") for number in range(5)])
    await half.database.write(lambda connection: connection.execute(text("DELETE FROM audit_records WHERE event_id = 'e4'")))
    assert [problem.kind for problem in problems(*await exported(trail))] == ["missing"]


async def test_the_newest_part_is_verified_from_somewhere_in_the_middle(over: Instances) -> None:
    half = await over()
    trail = trail_of(half)
    for number in range(30):
        await trail.record("registry", [change(f"e{number}")])
    records, heads = await exported(trail, newest=20)
    assert 20 <= len(records) < 30
    assert problems(records, heads, whole=False) == []
    writers = [record.writer for record in records]
    inside = [place for place, writer in enumerate(writers) if writer in writers[:place]]  # its chain's first here is believed
    del records[inside[0]]
    assert problems(records, heads, whole=False)


async def test_a_database_of_an_earlier_build_gets_heads_for_what_it_has(half: Half) -> None:
    trail = trail_of(half)
    await trail.record("registry", [change(f"e{number}") for number in range(3)])
    before = (await exported(trail))[1]

    def again(connection: Connection) -> list[dict[str, object]]:
        from alembic.migration import MigrationContext  # noqa: PLC0415 (as the runtime does)
        from alembic.operations import Operations  # noqa: PLC0415 (likewise)

        connection.execute(delete(audit_heads))
        return v0003_audit_of_changes._heads(Operations(MigrationContext.configure(connection)))

    [found] = await half.database.write(again)
    [head] = before
    assert found == {
        "writer": head.writer, "records": head.count, "hash": head.hash, "sequence": head.sequence, "numbering": head.numbering,
    }  # fmt: skip


async def test_the_trail_is_exported_whole_or_not_at_all(half: Half) -> None:
    for parent in ("domains/claims", ""):
        with pytest.raises(MeshError) as failure:
            await trail_of(half).export(parent, page_of(rules_pb2.ExportAuditRecordsRequest()), 0)
        assert failure.value.field == "parent"
