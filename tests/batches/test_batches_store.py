"""Files, batches and lines are kept alike in memory, in SQLite and in PostgreSQL: once, sealed, each tenant's apart."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select, text, update

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.ports import EndedLine, NewLine
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store import queue
from llm_mesh_batches.store.tables import FILES, LINES, METADATA, PIECES
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError
from tests.batches.batch_world import CALLER, FOREIGN, SECRET, TENANT, Instance, instance, jsonl, line, messages


async def reason(work: object) -> str:
    with pytest.raises(MeshError) as caught:
        await work  # type: ignore[misc]
    return caught.value.reason_name


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    async with instance(database):
        assert await drift(database, METADATA) == []


async def test_a_file_comes_back_as_it_was_stored(database: Database) -> None:
    async with instance(database) as one:
        content = bytes(range(256)) * 4096
        file = await one.uploaded(content, purpose=files_pb2.FILE_PURPOSE_USER_DATA)
        assert (file.bytes, file.filename, file.purpose) == (len(content), "in.jsonl", files_pb2.FILE_PURPOSE_USER_DATA)
        assert await one.content(file.id) == content
        empty = await one.uploaded(b"")
        assert (empty.bytes, await one.content(empty.id)) == (0, b"")


async def test_nothing_that_a_tenant_wrote_can_be_read_in_the_database(database: Database) -> None:
    async with instance(database) as one:
        await one.of_file(line("secret-id", "a secret text"))
        written = await database.read(
            lambda connection: [
                repr(row)
                for table in METADATA.sorted_tables
                for row in connection.execute(select(table))
                if table.name.startswith("batches_")
            ]
        )
        assert written
        assert not any(word in row for row in written for word in ("secret-id", "secret text", "in.jsonl"))


async def test_a_row_that_is_moved_to_another_tenant_does_not_open(database: Database) -> None:
    async with instance(database) as one:
        file = await one.uploaded(b"content")
        await database.write(lambda connection: connection.execute(update(PIECES).values(domain=FOREIGN.domain, project=FOREIGN.project)))
        assert await reason(one.file_store.piece(FOREIGN, file.id, 0)) == "STORE_UNAVAILABLE"


async def test_foreign_guessed_and_changed_ids_are_told_the_same(database: Database) -> None:
    async with instance(database) as one:
        file, batch = await one.uploaded(b"content"), await one.begun()
        await one.worked_off(batch)
        changed = file.id[:-2] + ("a" if file.id[-2] != "a" else "b") + file.id[-1]
        last = "abcdefghijklmnopqrstuvwxyz234567"
        tampered = [file.id[:-1] + each for each in last if each != file.id[-1]]
        for tenant, identity in [
            (FOREIGN, file.id),
            (TENANT, changed),
            (TENANT, "file-" + "a" * 42),
            *((TENANT, each) for each in tampered),
        ]:
            for asked in (one.files.get(tenant, identity), one.files.delete(tenant, identity), one.content(identity, tenant)):
                assert await reason(asked) == "FILE_NOT_FOUND"
        for work in (
            one.batches.get(FOREIGN, batch.id),
            one.batches.cancel(FOREIGN, batch.id),
            one.batches.delete(FOREIGN, batch.id),
            anext(one.batches.results(FOREIGN, batch.id)),
        ):
            assert await reason(work) == "BATCH_NOT_FOUND"
        assert await one.content(file.id) == b"content"


async def test_the_store_itself_keeps_tenants_apart(database: Database) -> None:
    async with instance(database) as one:
        file, batch = await one.uploaded(b"content"), await one.begun()
        assert await one.file_store.get(FOREIGN, file.id) is None
        assert await one.file_store.piece(FOREIGN, file.id, 0) is None
        assert await reason(one.file_store.delete(FOREIGN, file.id)) == "FILE_NOT_FOUND"
        assert await one.batch_store.get(FOREIGN, batch.id) is None
        assert await reason(one.batch_store.cancel(FOREIGN, batch.id)) == "BATCH_NOT_FOUND"
        assert await one.batch_store.results(FOREIGN, batch.id, 0) == []


async def test_an_upload_that_breaks_off_leaves_nothing(database: Database) -> None:
    async with instance(database, file_bytes=1 << 20, line_bytes=1 << 20) as one:
        assert await reason(one.uploaded(b"x" * ((1 << 20) + 1))) == "FILE_TOO_LARGE"

        async def broken() -> object:
            async for message in messages(b"x" * 600_000):
                yield message
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await one.files.upload(TENANT, broken())  # type: ignore[arg-type]
        rows = await database.read(lambda connection: [*connection.execute(select(FILES.c.id)), *connection.execute(select(PIECES.c.file))])
        assert rows == []


async def test_quotas_bound_files_bytes_batches_and_lines(database: Database) -> None:
    async with instance(database, most_files=2, most_batches=1, most_lines=3, project_bytes=10_000) as one:
        await one.uploaded(b"x" * 4_000)
        assert await reason(one.uploaded(b"x" * 7_000)) == "QUOTA_EXCEEDED"
        await one.uploaded(b"x" * 100)
        assert await reason(one.uploaded(b"x")) == "QUOTA_EXCEEDED"
        assert await reason(one.begun(4)) == "QUOTA_EXCEEDED"
        await one.begun(2)
        assert await reason(one.begun(2)) == "QUOTA_EXCEEDED"
        foreign = await one.uploaded(b"x" * 4_000, tenant=FOREIGN)
        assert foreign.bytes == 4_000


async def test_lists_go_newest_first_page_by_page(database: Database) -> None:
    async with instance(database) as one:
        files = [(await one.uploaded(b"x")).id for _ in range(5)]
        seen: list[str] = []
        token = ""
        while True:
            page, token = await one.files.page(TENANT, files_pb2.ListFilesRequest(page_size=2, page_token=token))
            seen += [file.id for file in page]
            if not token:
                break
        assert seen == files[::-1]
        after, _ = await one.files.page(TENANT, files_pb2.ListFilesRequest(after=files[2]))
        assert [file.id for file in after] == [files[1], files[0]]
        rising, _ = await one.files.page(TENANT, files_pb2.ListFilesRequest(after=files[2], ascending=True))
        assert [file.id for file in rising] == files[3:]
        assert await reason(one.files.page(TENANT, files_pb2.ListFilesRequest(after="file-" + "a" * 42))) == "FILE_NOT_FOUND"
        assert (await one.files.page(FOREIGN, files_pb2.ListFilesRequest()))[0] == []


async def claimed(one: Instance, most: int, seconds: float = 60) -> list[int]:
    active = (await one.queue.active())[0]
    return [each.number for each in await one.queue.claim(active, one.owner, most, seconds)]


async def test_a_line_is_claimed_once_until_its_lease_is_over(database: Database) -> None:
    async with instance(database, owner="one") as one, instance(database, owner="two") as two:
        await one.begun(3)
        assert await claimed(one, 2) == [1, 2]
        assert await claimed(two, 5) == [3]
        batch = (await one.queue.active())[0].id
        await one.queue.renew("one", {batch: [1, 2]}, -1)
        assert await claimed(two, 5) == [1, 2]
        await one.queue.renew("one", {batch: [1, 2]}, 60)
        assert await claimed(two, 5) == []
        await two.queue.release("two")
        assert await claimed(one, 5) == [1, 2, 3]


async def test_a_line_that_its_owner_works_off_no_more_goes_to_another(database: Database) -> None:
    async with instance(database, owner="one") as one, instance(database, owner="two") as two:
        await one.begun(2)
        assert await claimed(one, 2, -1) == [1, 2]
        await one.queue.renew("one", {(await one.queue.active())[0].id: [2]}, 60)
        assert await claimed(two, 5) == [1]


async def test_many_batches_of_one_project_hide_nobody_elses(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_MOST_ACTIVE", 3)
    async with instance(database) as one:
        for _ in range(4):
            await one.begun(1)
        late = await one.begun(1, tenant=FOREIGN)
        active = await one.queue.active()
        assert len(active) == 3
        assert active[1].id == late.id


async def test_a_result_counts_once_whoever_brings_it(database: Database) -> None:
    async with instance(database) as one:
        batch = await one.begun(2)
        active = (await one.queue.active())[0]
        line_one = (await one.queue.claim(active, "one", 1, -1))[0]
        same = (await one.queue.claim(active, "two", 1, 60))[0]
        assert line_one.number == same.number == 1
        ended = EndedLine(batches_pb2.LineResult(custom_id="c1", outcome=batches_pb2.LINE_OUTCOME_SUCCEEDED, body_json=b"{}"), written=7)
        ended.usage.charged.add(currency="USD", nanos=3)
        assert sorted(await asyncio.gather(one.queue.end(line_one, ended), one.queue.end(same, ended))) == [False, True]
        present = await one.batches.get(TENANT, batch.id)
        assert (present.counts.succeeded, present.counts.processing) == (1, 1)
        assert [money.nanos for money in present.usage.charged] == [3]


async def test_a_file_that_a_batch_is_about_to_read_stays(database: Database) -> None:
    async with instance(database) as one:
        file = await one.uploaded(jsonl([line()]))
        await one.batches.create(TENANT, CALLER, batches_pb2.CreateBatchRequest(endpoint=1, input_file=file.id))  # type: ignore[arg-type]
        assert await reason(one.files.delete(TENANT, file.id)) == "FILE_IN_USE"
        await one.reader.read((await one.queue.active())[0])
        await one.files.delete(TENANT, file.id)
        assert await reason(one.files.get(TENANT, file.id)) == "FILE_NOT_FOUND"


async def test_only_one_instance_reads_a_file_and_the_next_begins_anew(database: Database) -> None:
    async with instance(database, owner="one") as one, instance(database, owner="two") as two:
        file = await one.uploaded(jsonl([line("a"), line("b")]))
        await one.batches.create(TENANT, CALLER, batches_pb2.CreateBatchRequest(endpoint=1, input_file=file.id))  # type: ignore[arg-type]
        active = (await one.queue.active())[0]
        assert await one.reading.begin(active, "one", 60)
        assert not await two.reading.begin(active, "two", 60)
        assert await one.reading.add(active, "one", [NewLine(1, "a", b"{}")], -1) == []
        assert await two.reading.begin(active, "two", 60)
        assert await one.reading.add(active, "one", [NewLine(2, "b", b"{}")], 60) is None
        await one.reading.finish(active, "one", [])
        assert (await one.batches.get(TENANT, active.id)).state == batches_pb2.BATCH_STATE_VALIDATING
        await two.queue.release("two")
        await two.reader.read(active)
        present = await two.batches.get(TENANT, active.id)
        assert (present.state, present.counts.processing) == (batches_pb2.BATCH_STATE_IN_PROGRESS, 2)


async def test_what_has_expired_is_purged_and_the_rest_stays(database: Database) -> None:
    async with instance(database) as one:
        kept, gone = await one.uploaded(b"kept"), await one.uploaded(b"gone")
        ended, going = await one.begun(1), await one.begun(1)
        await one.lines.work((await one.queue.claim((await one.queue.active())[0], "one", 1, 60))[0])
        assert (await one.batches.get(TENANT, ended.id)).HasField("end_time")
        await database.write(lambda connection: connection.execute(update(FILES).where(FILES.c.id == gone.id).values(expires=1)))
        await database.write(lambda connection: connection.execute(text("UPDATE batches_batches SET deletes = 1 WHERE ended > 0")))
        assert await reason(one.files.get(TENANT, gone.id)) == "FILE_NOT_FOUND"
        assert await one.housekeeping.purge() == 2
        assert await one.housekeeping.purge() == 0
        assert await one.content(kept.id) == b"kept"
        assert await reason(one.batches.get(TENANT, ended.id)) == "BATCH_NOT_FOUND"
        rows = await database.read(lambda connection: {row[0] for row in connection.execute(select(LINES.c.batch))})
        assert rows == {going.id}


async def test_a_deleted_batch_leaves_no_line_and_no_output(database: Database) -> None:
    async with instance(database) as one:
        batch = await one.begun(2)
        assert await reason(one.batches.delete(TENANT, batch.id)) == "BATCH_NOT_ENDED"
        ended = await one.worked_off(batch)
        assert len((await one.content(ended.output_file)).splitlines()) == 2
        await one.batches.delete(TENANT, batch.id)
        assert await reason(one.files.get(TENANT, ended.output_file)) == "FILE_NOT_FOUND"
        assert await database.read(lambda connection: list(connection.execute(select(LINES.c.number)))) == []


async def test_results_go_with_their_output_file(database: Database) -> None:
    async with instance(database) as one:
        ended = await one.worked_off(await one.begun(1))
        await one.files.delete(TENANT, ended.output_file)
        assert await reason(one.results(ended)) == "RESULTS_DELETED"
        assert not (await one.batches.get(TENANT, ended.id)).output_file
        stored = await database.read(lambda connection: connection.scalar(select(LINES.c.result)))
        assert stored is None


def test_a_custom_id_has_another_digest_in_each_batch() -> None:
    vault, other = Vault(SECRET), Tenant("domains/b", "domains/b/projects/c")
    digests = {vault.digest(TENANT, "batch-a", "c1"), vault.digest(TENANT, "batch-b", "c1"), vault.digest(other, "batch-a", "c1")}
    assert len(digests) == 3
    assert json.dumps("c1").encode() not in digests
