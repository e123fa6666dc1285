"""Policy, put together of its two halves: who may (identity), and at which cost (ledger)."""

from __future__ import annotations

from llm_mesh.policy.v1 import identity_pb2_grpc, ledger_pb2_grpc, policy_pb2_grpc, rules_pb2_grpc
from llm_mesh_policy.audit.servicer import AuditServicer
from llm_mesh_policy.ledger.store.following import LedgerFollower
from llm_mesh_policy.rules.domain.administration import Administration
from llm_mesh_policy.rules.domain.applying import Applying
from llm_mesh_policy.rules.domain.explaining import Explaining
from llm_mesh_policy.rules.domain.flooring import Flooring
from llm_mesh_policy.rules.servicer import RuleServicer
from llm_mesh_policy.settings import Settings
from llm_mesh_policy.wiring.identity import IdentityParts
from llm_mesh_policy.wiring.ledger import build_ledger
from llm_mesh_policy.wiring.servicer import PolicyServicer
from llm_mesh_runtime.database import check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers

MIGRATIONS = "llm_mesh_policy.store.migrations"


def build(settings: Settings, links: Links) -> Servicers:
    """Puts policy together."""
    database = links.database("policy")
    identity = IdentityParts(settings, links, database, LedgerFollower())
    ledger = build_ledger(settings, links, database, identity)
    rules = Administration(identity.store, identity.changes, identity.live)
    flooring = Flooring(identity.store, identity.changes)
    applying = Applying(identity.changes, ledger)

    async def start() -> None:
        await (migrate if links.embedded else check)(database, MIGRATIONS)
        await identity.start()
        await ledger.start()

    async def close() -> None:
        await ledger.close()
        await identity.close()
        await database.close()

    return Servicers(
        (
            policy_pb2_grpc.add_PolicyServiceServicer_to_server,
            PolicyServicer(
                identity=identity.authorizer,
                admission=ledger.admission,
                ledger=ledger.decisions,
                screening=ledger.screening,
                audit=AuditServicer(identity.trail),
            ),
        ),
        (identity_pb2_grpc.add_IdentityServiceServicer_to_server, identity.identity_servicer),
        (
            rules_pb2_grpc.add_RuleServiceServicer_to_server,
            RuleServicer(rules, applying, Explaining(identity.live), flooring, identity.trail),
        ),
        (ledger_pb2_grpc.add_LedgerServiceServicer_to_server, ledger.ledger_servicer),
        ready=database.ready,
        start=start,
        close=close,
    )


service = Service.declared("policy", settings=Settings, build=build)
