"""Many changes at once are decided on paper and written together; domains take turns; and no collection outgrows its quota."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import select

from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, rules_pb2
from llm_mesh_policy.identity.store.tables import resources
from llm_mesh_policy.identity.store.transactions import SqlTransaction
from llm_mesh_policy.rules.domain.applying import MOST_ENTRIES, MOST_MONEY
from llm_mesh_policy.rules.domain.changes import Change
from llm_mesh_policy.settings import Settings
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import Quotas
from tests.policy.conftest import ADMIN, Half, World
from tests.policy.refusals import refusal

PLATFORM = "domains/platform"
CLAIMS = "domains/claims"


def wanted(**fields: Any) -> rules_pb2.ApplyPolicyRequest:
    return rules_pb2.ApplyPolicyRequest(parent=PLATFORM, **fields)


def principals(count: int, domain: str = CLAIMS, prefix: str = "p") -> list[identity_pb2.Principal]:
    return [identity_pb2.Principal(name=f"{domain}/principals/{prefix}{number}") for number in range(count)]


def bindings(count: int, domain: str = CLAIMS, prefix: str = "p") -> list[rules_pb2.Binding]:
    return [
        rules_pb2.Binding(name=f"{domain}/bindings/{prefix}{number}", principal=each.name, role="roles/application")
        for number, each in enumerate(principals(count, domain, prefix))
    ]


async def test_a_work_of_many_changes_runs_outside_of_the_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reservations wait for a transaction, so that nothing may be decided while one is open."""
    original = SqlTransaction.find

    def counted(self: SqlTransaction, collection: str, domain: str, identity: str) -> Any:
        finds.append(collection)
        return original(self, collection, domain, identity)

    finds: list[str] = []
    monkeypatch.setattr(SqlTransaction, "find", counted)
    request = wanted(principals=principals(100), bindings=bindings(100))
    answer = await world.half.applying.apply(ADMIN, request)
    assert len(answer.changes) == 200
    assert not finds
    assert len([name for name in (await world.half.live.refresh()).bindings if name.startswith(f"{CLAIMS}/bindings/p")]) == 100


async def test_what_was_created_at_first_keeps_its_time(world: World) -> None:
    table = resources["principals"]
    app = select(table.c.create_time).where(table.c.domain == "claims", table.c.id == "app")

    async def created() -> int:
        found: int = await world.half.database.read(lambda connection: connection.execute(app).scalar_one())
        return found

    before = await created()
    change = identity_pb2.Principal(name=f"{CLAIMS}/principals/app", display_name="changed")
    await world.half.applying.apply(ADMIN, wanted(principals=[change]))
    assert await created() == before
    assert (await world.half.live.refresh()).principals[change.name].display_name == "changed"


async def test_one_entry_that_is_refused_undoes_all(world: World) -> None:
    before = (await world.half.live.refresh()).revision
    bad = rules_pb2.Binding(name=f"{CLAIMS}/bindings/bad", principal=f"{CLAIMS}/principals/absent", role="roles/viewer")
    error = await refusal(world.half.applying.apply(ADMIN, wanted(principals=principals(10), bindings=[*bindings(10), bad])))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "bindings[10].principal")
    assert (await world.half.live.refresh()).revision == before


async def test_a_change_in_between_is_noticed_and_everything_decided_anew(over: Callable[[], Awaitable[Half]]) -> None:
    one, other = await over(), await over()
    await one.admin()
    await one.applying.apply(ADMIN, wanted(domains=[identity_pb2.Domain(name=CLAIMS), identity_pb2.Domain(name="domains/sales")]))
    requests = [
        half.applying.apply(ADMIN, wanted(principals=principals(20, domain, f"r{turn}x")))
        for turn in range(4)
        for half, domain in ((one, CLAIMS), (other, "domains/sales"))
    ]
    await asyncio.gather(*requests)
    for half in (one, other):
        assert len([name for name in (await half.live.refresh()).principals if "/principals/r" in name]) == 160


async def test_what_was_decided_by_an_older_revision_is_not_written(over: Callable[[], Awaitable[Half]]) -> None:
    one, other = await over(), await over()
    await one.admin()
    await one.applying.apply(ADMIN, wanted(domains=[identity_pb2.Domain(name=CLAIMS)], principals=principals(1)))
    loop, decided = asyncio.get_running_loop(), list[int]()

    def work(change: Change) -> int:
        decided.append(change.snapshot.revision)
        if len(decided) == 1:  # another instance changes something before this can be written
            meanwhile = other.applying.apply(ADMIN, wanted(principals=principals(1, prefix="meanwhile")))
            asyncio.run_coroutine_threadsafe(meanwhile, loop).result(10)
        return len(change.snapshot.principals)

    done = await one.changes.make_many(ADMIN, work, lambda _, value: value)
    assert len(decided) == 2
    assert decided[1] > decided[0]
    assert done.value == len((await other.live.refresh()).principals)


@pytest.mark.parametrize("field", ["principals", "bindings"])
async def test_more_than_so_many_entries_are_to_be_split(world: World, field: str) -> None:
    entries: list[Any] = principals(MOST_ENTRIES + 1) if field == "principals" else bindings(MOST_ENTRIES + 1)
    error = await refusal(world.half.applying.apply(ADMIN, wanted(**{field: entries})))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)
    assert "split" in error.message


async def test_budgets_and_limits_are_fewer(world: World) -> None:
    limits = [ledger_pb2.Limit(name=f"{CLAIMS}/limits/l{number}") for number in range(MOST_MONEY + 1)]
    error = await refusal(world.half.applying.apply(ADMIN, wanted(limits=limits)))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "limits")


SMALL = dict.fromkeys(("domains", "projects", "principals", "keys", "roles", "bindings", "budgets", "limits", "floors"), 3)


async def small(memory: Database, **more: int) -> Half:
    half = Half(memory, quotas=Quotas("policy", {**SMALL, "domains": 5, "principals": 50, "principal_bindings": 100, **more}))
    await half.live.refresh()
    await half.admin()
    await half.applying.apply(ADMIN, wanted(domains=[identity_pb2.Domain(name=CLAIMS)]))
    return half


async def applied(half: Half, requests: Iterable[rules_pb2.ApplyPolicyRequest]) -> None:
    for request in requests:
        await half.applying.apply(ADMIN, request)


def exceeded(error: MeshError) -> tuple[str, str, str]:
    return error.reason_name, error.metadata["quota"], error.metadata["limit"]


@pytest.mark.parametrize("collection", ["domains", "projects", "principals", "roles", "bindings"])
@pytest.mark.parametrize("singly", [True, False])
async def test_a_collection_that_is_full_takes_no_more_and_lets_others_grow(memory: Database, collection: str, *, singly: bool) -> None:
    half = await small(memory)
    await half.applying.apply(ADMIN, wanted(principals=principals(10)))
    most = {"domains": 5, "principals": 50}.get(collection, 3)
    made: dict[str, Callable[[int], Any]] = {
        "domains": lambda number: identity_pb2.Domain(name=f"domains/n{number}"),
        "projects": lambda number: identity_pb2.Project(name=f"{CLAIMS}/projects/n{number}"),
        "principals": lambda number: identity_pb2.Principal(name=f"{CLAIMS}/principals/n{number}"),
        "roles": lambda number: rules_pb2.Role(name=f"{CLAIMS}/roles/n{number}"),
        "bindings": lambda number: rules_pb2.Binding(
            name=f"{CLAIMS}/bindings/n{number}", principal=f"{CLAIMS}/principals/p{number % 10}", role="roles/viewer"
        ),
    }
    entries = [made[collection](number) for number in range(most + 1)]
    requests = [wanted(**{collection: [each]}) for each in entries] if singly else [wanted(**{collection: entries})]
    error = await refusal(applied(half, requests))
    assert exceeded(error) == ("QUOTA_EXCEEDED", collection, str(most))
    assert f"LLM_MESH_POLICY_MOST_{collection.upper()}" in error.message
    if singly and collection != "domains":  # what is there can still be changed, and other collections grow
        await half.applying.apply(ADMIN, wanted(**{collection: [entries[0]]}, domains=[identity_pb2.Domain(name="domains/other")]))


async def test_keys_that_are_revoked_make_room(memory: Database) -> None:
    half = await small(memory)
    project = f"{CLAIMS}/projects/one"
    await half.applying.apply(ADMIN, wanted(projects=[identity_pb2.Project(name=project)], principals=principals(1)))
    key = identity_pb2.Key(principal=f"{CLAIMS}/principals/p0")
    made = [await half.keyring.create(ADMIN, project, key) for _ in range(3)]
    assert exceeded(await refusal(half.keyring.create(ADMIN, project, key))) == ("QUOTA_EXCEEDED", "keys", "3")
    await half.keyring.rotate(ADMIN, made[0].key.name, None)
    await half.keyring.revoke(ADMIN, made[0].key.name)
    await half.keyring.create(ADMIN, project, key)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_principal_may_have_so_many_bindings(memory: Database, *, at_once: bool) -> None:
    half = await small(memory, principal_bindings=10, bindings=100)
    await half.applying.apply(ADMIN, wanted(principals=principals(2)))
    person = f"{CLAIMS}/principals/p0"
    many = [rules_pb2.Binding(name=f"{CLAIMS}/bindings/n{number}", principal=person, role="roles/viewer") for number in range(11)]
    requests = [wanted(bindings=many)] if at_once else [wanted(bindings=[each]) for each in many]
    assert exceeded(await refusal(applied(half, requests))) == ("QUOTA_EXCEEDED", "principal_bindings", "10")
    if not at_once:
        await half.applying.apply(ADMIN, wanted(bindings=[many[0]]))
        moved = rules_pb2.Binding(name=many[0].name, principal=f"{CLAIMS}/principals/p1", role="roles/viewer")
        await half.applying.apply(ADMIN, wanted(bindings=[moved]))


async def test_a_role_may_have_so_many_rules(world: World) -> None:
    permission = rules_pb2.Permission(
        actions=[f"models.a{chr(97 + number)}" for number in range(26)], resources=[f"models/m{number}" for number in range(20)]
    )
    error = await refusal(world.half.rules.put_role(ADMIN, rules_pb2.Role(name=f"{CLAIMS}/roles/large", permissions=[permission])))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "role.permissions")


def test_every_quota_is_a_setting() -> None:
    quotas = Settings().quotas
    for collection in ("domains", "projects", "principals", "keys", "roles", "bindings", "principal_bindings", "budgets", "limits"):
        assert quotas[collection] == getattr(Settings(), f"most_{collection}")
