"""The store suite of identity and rules: the same laws on every engine, and with several instances."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import insert

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.resources import Contents, StoredResource, Transaction
from llm_mesh_policy.identity.domain.credentials import Pepper
from llm_mesh_policy.identity.store.standing import Standing
from llm_mesh_policy.identity.store.tables import COLLECTIONS, MARKS, resources
from llm_mesh_policy.identity.store.transactions import SqlIdentity, SqlTransaction, check_pepper
from llm_mesh_policy.store.revision import revision
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database, migrate, upsert
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from llm_mesh_runtime.settings import SettingsError
from tests.policy.conftest import ADMIN, MIGRATIONS, Half, World, make_world
from tests.policy.refusals import refusal

Instances = Callable[[], Awaitable[Half]]
KEY = StoredKey("claims", "triage", "a" * 16, "domains/claims/principals/ana", b"", b"digest", 5)


async def test_what_is_saved_is_found_until_it_is_removed(over: Instances) -> None:
    store = (await over()).store
    saved = await store.change(lambda transaction: transaction.save("bindings", StoredResource("claims", "triage", b"\x00body")))
    assert await store.read(lambda transaction: transaction.find("bindings", "claims", "triage")) == saved
    assert await store.read(lambda transaction: transaction.find("bindings", "sales", "triage")) is None
    again = await store.change(lambda transaction: transaction.save("bindings", StoredResource("claims", "triage", b"other")))
    assert again.create_time == saved.create_time
    await store.change(lambda transaction: transaction.remove("bindings", "claims", "triage"))
    assert await store.read(lambda transaction: transaction.find("bindings", "claims", "triage")) is None


async def test_pages_are_sorted_by_bytes_on_every_engine(over: Instances) -> None:
    store, ids = (await over()).store, ["a", "a-b", "ab", "a0", "b", "-a", "10", "9"]

    def save(transaction: Transaction) -> None:
        for identity in ids:
            transaction.save("projects", StoredResource("claims", identity, b""))

    await store.change(save)
    first = await store.read(lambda transaction: transaction.page("projects", "claims", "", 3))
    rest = await store.read(lambda transaction: transaction.page("projects", "claims", first[-1].id, 100))
    assert [row.id for row in (*first, *rest)] == sorted(ids)


async def test_a_key_comes_back_as_it_was_saved(over: Instances) -> None:
    store = (await over()).store
    for key in (KEY, replace(KEY, expire_time=7, revoke_time=8, previous_digest=b"p", previous_expire_time=9)):
        await store.change(lambda transaction, saved=key: transaction.save_key(saved))  # type: ignore[misc]  # mypy infers no lambda with a default
        found = await store.read(lambda transaction: transaction.find_key("claims", "triage", KEY.id))
        assert found is not None
        assert replace(found, revision=0) == key


async def test_keys_of_one_instant_keep_their_order_over_pages(over: Instances) -> None:
    store = (await over()).store

    def save(transaction: Transaction) -> None:
        for number in range(6):
            transaction.save_key(replace(KEY, id=f"{number}" * 16, create_time=number // 3))

    await store.change(save)
    found: list[StoredKey] = []
    before: tuple[int, str] | None = None
    while page := await store.read(lambda transaction, at=before: transaction.page_keys("claims", "", at, 2)):  # type: ignore[misc]  # likewise
        found += page
        before = (page[-1].create_time, page[-1].id)
    assert [key.id[0] for key in found] == ["3", "4", "5", "0", "1", "2"]


async def test_a_revision_counts_changes_and_not_what_was_undone(over: Instances) -> None:
    store = (await over()).store
    first = await store.read(lambda transaction: transaction.revision())

    def twice(transaction: Transaction) -> int:
        transaction.save("projects", StoredResource("claims", "a", b""))
        transaction.save("projects", StoredResource("claims", "b", b""))
        return transaction.revision()

    def undone(transaction: Transaction) -> None:
        transaction.save("projects", StoredResource("claims", "c", b""))
        raise ValueError("undone")

    assert await store.change(twice) == first + 1
    with pytest.raises(ValueError, match="undone"):
        await store.change(undone)
    await store.change(lambda transaction: transaction.find("projects", "claims", "a"))
    assert await store.read(lambda transaction: transaction.revision()) == first + 1


async def test_only_what_changed_is_read_again(over: Instances) -> None:
    store = (await over()).store

    async def changed(work: Callable[[Transaction], object]) -> tuple[set[str], int]:
        before = await store.read(lambda transaction: transaction.revision())
        await store.change(work)
        contents = await store.contents(before)
        assert contents is not None
        assert await store.contents(contents.revision) is None
        return set(contents.rows), len(contents.keys)

    assert await changed(lambda transaction: transaction.save("projects", StoredResource("claims", "a", b""))) == ({"projects"}, 0)
    assert await changed(lambda transaction: transaction.save_key(KEY)) == (set(), 1)
    assert await changed(lambda transaction: transaction.save("bindings", StoredResource("claims", "a", b""))) == ({"bindings"}, 0)
    assert await changed(lambda transaction: transaction.remove("bindings", "claims", "a")) == ({"bindings"}, 0)
    everything = await store.contents(0)
    assert everything is not None
    assert (len(everything.rows), len(everything.keys)) == (len(COLLECTIONS), 1)


async def test_changes_at_once_are_made_one_after_the_other(over: Instances) -> None:
    halves = [await over(), await over()]
    await make_world(halves[0])

    async def count(half: Half) -> None:
        while True:
            project = await half.directory.project("domains/claims/projects/triage")
            wanted = identity_pb2.Project(name=project.name, etag=project.etag, max_output_tokens=project.max_output_tokens + 1)
            try:
                await half.directory.update_project(ADMIN, wanted, FieldMask(paths=["max_output_tokens"]))
            except MeshError as error:
                assert error.reason_name == "ETAG_MISMATCH"  # noqa: PT017 (the other one won; again)
            else:
                return

    await asyncio.gather(*(count(half) for half in halves * 4))
    assert (await halves[0].directory.project("domains/claims/projects/triage")).max_output_tokens == 8


async def test_a_change_begins_only_when_the_one_before_has_ended(over: Instances) -> None:
    store, first_began, second_began = (await over()).store, threading.Event(), threading.Event()

    def first(transaction: Transaction) -> int:
        first_began.set()
        assert not second_began.wait(0.3)
        return transaction.advance()

    def second(transaction: Transaction) -> int:
        second_began.set()
        return transaction.advance()

    slow = asyncio.create_task(store.change(first))
    await asyncio.to_thread(first_began.wait)
    assert await store.change(second) == await slow + 1


async def test_a_bootstrap_token_works_once_however_many_try(over: Instances) -> None:
    halves = [await over(), await over(), await over()]
    answers = await asyncio.gather(*(half.admin() for half in halves), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, MeshError)]
    assert [error.reason_name for error in refused] == ["INVALID_BOOTSTRAP_TOKEN"] * 2


async def test_another_instance_refuses_a_revoked_key_as_soon_as_it_looks(over: Instances) -> None:
    here, there = await over(), await over()
    world = await make_world(here)
    made = world.keys["claims/app"]
    await there.ask(made.credential.text)
    await here.keyring.revoke(ADMIN, made.key.name)
    await there.live.refresh()
    assert (await refusal(there.ask(made.credential.text))).reason_name == "INVALID_CREDENTIAL"


async def test_another_instance_knows_a_new_key_at_once(over: Instances) -> None:
    here, there = await over(), await over()
    world = await make_world(here)
    await there.ask(world.secret("claims/app"))


async def test_strangers_share_readings_of_the_store(over: Instances, monkeypatch: pytest.MonkeyPatch) -> None:
    half, readings = await over(), []
    contents = half.store.contents

    async def counted(since: int) -> Contents | None:
        readings.append(since)
        return await contents(since)

    monkeypatch.setattr(half.store, "contents", counted)
    unknown = [f"mk_{number:016}_{'a' * 43}" for number in range(200)]
    answers = await asyncio.gather(*(half.ask(credential) for credential in unknown), return_exceptions=True)
    assert {answer.reason_name for answer in answers if isinstance(answer, MeshError)} == {"INVALID_CREDENTIAL"}
    assert len(answers) == 200
    assert len(readings) <= 2


async def live_error(half: Half, standing: Standing, key: str) -> str:
    """How the check within a transaction answers."""
    dead = await half.database.write(
        lambda connection: standing.dead(SqlUnitOfWork(connection, half.database), [key], half.database.now(connection))
    )
    return "INVALID_CREDENTIAL" if dead == {key} else ""


async def test_a_transaction_sees_at_once_that_a_key_ended(over: Instances) -> None:
    half = await over()
    world = await make_world(half)
    standing = Standing()
    app, dev = world.keys["claims/app"].key.name, world.keys["claims/dev"].key.name
    assert await live_error(half, standing, app) == ""
    await half.keyring.revoke(ADMIN, app)
    assert await live_error(half, standing, app) == "INVALID_CREDENTIAL"
    disabled = identity_pb2.Principal(name="domains/claims/principals/dev", disabled=True)
    await half.directory.update_principal(ADMIN, disabled, FieldMask(paths=["disabled"]))
    assert await live_error(half, standing, dev) == "INVALID_CREDENTIAL"
    assert await live_error(half, standing, "domains/claims/projects/triage/keys/none") == "INVALID_CREDENTIAL"
    expired = replace(world.keys["claims/owner"].key, expire_time=1)
    await half.store.change(lambda transaction: transaction.save_key(expired))
    assert await live_error(half, standing, expired.name) == "INVALID_CREDENTIAL"


async def test_a_change_that_was_undone_is_not_remembered_under_the_revision_that_the_next_one_gets(over: Instances) -> None:
    half = await over()
    world = await make_world(half)
    standing = Standing()
    app, owner = world.keys["claims/app"].key, world.keys["claims/owner"].key

    def undone(transaction: Transaction) -> None:
        assert isinstance(transaction, SqlTransaction)
        transaction.save_key(replace(app, revoke_time=1))
        connection = transaction.connection
        assert standing.dead(SqlUnitOfWork(connection, half.database), [app.name], half.database.now(connection)) == {app.name}
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await half.store.change(undone)
    await half.keyring.revoke(ADMIN, owner.name)
    assert await live_error(half, standing, app.name) == ""
    assert await live_error(half, standing, owner.name) == "INVALID_CREDENTIAL"


async def test_a_second_start_finds_everything(over: Instances) -> None:
    world = await make_world(await over())
    again = await over()
    for key in world.keys.values():
        assert (await again.ask(key.credential.text, "self.get", "self")).caller.key == key.key.name
    rotated = await again.keyring.rotate(ADMIN, world.keys["claims/app"].key.name, Duration(seconds=60))
    await again.ask(rotated.credential.text)
    await again.ask(world.secret("claims/app"))


async def test_another_pepper_is_refused_at_the_start(over: Instances) -> None:
    database = (await over()).database
    for _ in range(2):
        await database.write(lambda connection: check_pepper(connection, database, Pepper(b"a" * 32).check_digest()))
    with pytest.raises(SettingsError):
        await database.write(lambda connection: check_pepper(connection, database, Pepper(b"b" * 32).check_digest()))


async def test_a_wide_listing_reads_the_store_page_by_page(world: World) -> None:
    request = identity_pb2.ListPrincipalsRequest(parent="domains/claims", page_size=1000)
    shown, token = await world.half.directory.principals(request.parent, page_of(request))
    assert [principal.name.rpartition("/")[2] for principal in shown] == ["app", "dev", "nobody", "owner"]
    assert not token


async def test_migrating_again_changes_nothing(database: Database) -> None:
    assert await migrate(database, MIGRATIONS) == await migrate(database, MIGRATIONS)


def binding_row(identity: str) -> StoredResource:
    return StoredResource("claims", identity, b"")


async def changed(store: SqlIdentity, work: Callable[[Transaction], object]) -> int:
    """The revision that a change makes."""
    await store.change(work)
    return await store.read(lambda transaction: transaction.revision())


async def test_a_reader_gets_the_rows_that_are_newer_than_it_has_and_what_was_removed(over: Instances) -> None:
    store = (await over()).store

    def many(transaction: Transaction) -> None:
        for number in range(500):
            transaction.save("bindings", binding_row(f"b{number}"))

    at = await changed(store, many)
    await changed(store, lambda transaction: transaction.save("bindings", binding_row("new")))
    await changed(store, lambda transaction: transaction.remove("bindings", "claims", "b7"))
    await changed(store, lambda transaction: transaction.remove("bindings", "claims", "b8"))
    await changed(store, lambda transaction: transaction.save("bindings", binding_row("b8")))
    found = await store.contents(at)
    assert found is not None
    assert not found.whole
    assert {row.id for row in found.rows["bindings"]} == {"new", "b8"}
    assert set(found.removed["bindings"]) == {("claims", "b7"), ("claims", "b8")}
    assert "roles" not in found.rows


async def test_whoever_is_behind_what_is_remembered_reads_everything(over: Instances, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_policy.identity.store.transactions._REMEMBERED", 2)
    store = (await over()).store
    for number in range(6):
        await changed(store, lambda transaction, new=f"b{number}": transaction.save("bindings", binding_row(new)))  # type: ignore[misc]  # as above
    at = await changed(store, lambda transaction: transaction.remove("bindings", "claims", "b0"))
    for number in range(1, 5):
        await changed(store, lambda transaction, gone=f"b{number}": transaction.remove("bindings", "claims", gone))  # type: ignore[misc]  # as above
    behind = await store.contents(at - 1)
    assert behind is not None
    assert behind.whole
    assert [row.id for row in behind.rows["bindings"] if row.domain == "claims"] == ["b5"]
    near = await store.contents(at + 3)
    assert near is not None
    assert (near.whole, near.removed) == (False, {"bindings": [("claims", "b4")]})


async def test_what_a_build_of_the_release_before_writes_is_seen_too(over: Instances) -> None:
    """It notes by which revision a collection changed, and leaves the revision of the row as it is."""
    store = (await over()).store
    at = await changed(store, lambda transaction: transaction.save("bindings", binding_row("ours")))

    def as_before(transaction: Transaction) -> None:
        assert isinstance(transaction, SqlTransaction)
        values = {"domain": "claims", "id": "theirs", "body": b"", "create_time": 1, "update_time": 1}
        transaction.connection.execute(insert(resources["bindings"]).values(**values))
        upsert(transaction.connection, revision, {"id": MARKS["bindings"], "value": transaction.advance()}, key=["id"])

    theirs = await changed(store, as_before)
    later = await changed(store, lambda transaction: transaction.save("bindings", binding_row("ours again")))
    for since in (at, theirs - 1):
        found = await store.contents(since)
        assert found is not None
        assert "theirs" in {row.id for row in found.rows["bindings"]}
    found = await store.contents(theirs)
    assert found is not None
    assert (found.whole, found.revision) == (False, later)


async def test_a_follower_has_after_any_changes_what_a_fresh_reader_has(over: Instances) -> None:
    half, follower = await over(), await over()
    await make_world(half)
    rng = random.Random(20_261_120)  # noqa: S311 (choices of a test)
    for step in range(60):
        name = f"domains/claims/bindings/x{rng.randrange(6)}"
        if rng.random() < 0.4:
            with suppress(MeshError):
                await half.rules.delete_binding(ADMIN, name)
        else:
            wanted = rules_pb2.Binding(name=name, principal=f"domains/claims/principals/{rng.choice(('app', 'dev'))}", role="roles/viewer")
            await half.applying.apply(ADMIN, rules_pb2.ApplyPolicyRequest(parent="domains/platform", bindings=[wanted]))
        if step % 7 == 0:
            seen, fresh = await follower.live.refresh(), await (await over()).live.refresh()
            assert seen.bindings == fresh.bindings
            for person in ("app", "dev"):
                holder = f"domains/claims/principals/{person}"
                assert sorted(map(str, seen.rules.held_by(holder))) == sorted(map(str, fresh.rules.held_by(holder)))
