"""Policy's own changes are recorded with digests of the resource before and after, so that the records of a resource follow on."""

from __future__ import annotations

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2, rules_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.resources import digest_of, page_of
from tests.policy import ledger_world
from tests.policy.conftest import ADMIN, World
from tests.policy.ledger_world import DOMAIN, PROJECT

ROLE = "domains/claims/roles/reader"
NAME = f"{PROJECT}/budget"


def role(*actions: str) -> rules_pb2.Role:
    return rules_pb2.Role(name=ROLE, permissions=[rules_pb2.Permission(actions=actions)])


async def test_the_records_of_a_resource_follow_on(world: World) -> None:
    rules = world.half.rules
    await rules.put_role(ADMIN, role("models.get"))
    put = (await rules.put_role(ADMIN, role("models.list"))).value
    await world.half.applying.apply(ADMIN, rules_pb2.ApplyPolicyRequest(parent="domains/claims", roles=[role("models.get", "models.list")]))
    await rules.delete_role(ADMIN, ROLE)
    records, _ = await rules.audit_records("domains/claims", "", page_of(rules_pb2.ListAuditRecordsRequest(page_size=4)))
    of_role = [record for record in reversed(records) if record.resource == ROLE]
    assert [record.action for record in of_role] == ["roles.put", "roles.put", "roles.put", "roles.delete"]
    before, after = [record.before_digest for record in of_role], [record.after_digest for record in of_role]
    assert before == [b"", *after[:-1]]
    assert (after[1], after[-1], len({*after})) == (digest_of(put), b"", 4)


async def test_the_records_of_a_budget_follow_on_whatever_is_spent(database: Database) -> None:
    ledger = await ledger_world.World(database).ready()

    def entry() -> AuditEntry:
        return AuditEntry(domain=DOMAIN, action="budgets.put", resource=NAME, allowed=True)

    def budget(nanos: int) -> ledger_pb2.Budget:
        return ledger_pb2.Budget(name=NAME, amount=resources_pb2.Money(currency="USD", nanos=nanos))

    await ledger.limits.put_budget(budget(10**12), entry())
    first = ledger.identity.audit[-1]
    granted = await ledger.reserve()
    await ledger.settle(granted, ledger_world.line())
    await ledger.limits.put_budget(budget(10**13), entry())
    second = ledger.identity.audit[-1]
    step = await ledger.database.write(
        lambda connection: ledger.limits.apply_budget(SqlUnitOfWork(connection, ledger.database), budget(10**14), {}, dry_run=False)
    )
    await ledger.limits.delete_budget(NAME, entry())
    last = ledger.identity.audit[-1]
    assert (len(first.after), second.before, last.after) == (32, first.after, b"")
    assert (digest_of(step.before), digest_of(step.after)) == (second.after, last.before)
    assert len({first.after, second.after, last.before}) == 3
