"""Decisions are explained to those who made the request and to those who may see them, and outlive the router."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import grpc
import pytest

from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.archive import Archive
from llm_mesh_router.domain.decisions import Candidate, Decision, Decisions
from llm_mesh_router.domain.eligibility import EligibilityRequest, Objection
from llm_mesh_router.domain.explanations import Explanations
from llm_mesh_router.domain.resolution import UNKNOWN
from llm_mesh_router.domain.shortlists import Shortlist
from llm_mesh_router.store.decisions import SqlDecisions
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, PeerError, store_unavailable
from tests.databases import migrated
from tests.router.test_router_planning import NOW

CLAIMS = "domains/claims"
ANA = f"{CLAIMS}/principals/ana"
HIDDEN = "domains/sales/models/secret"


def decision(number: int, domain: str = CLAIMS, *, request: str = "", age: float = 0, principal: str = ANA) -> Decision:
    caller = admission_pb2.Caller(domain=domain, principal=principal)
    admission = admission_pb2.Admission(caller=caller, alias="main")
    profile = router_pb2.RequestProfile(images=number)
    question = EligibilityRequest(admission, profile, NOW - timedelta(seconds=age), request or f"r{number}")
    looks = [
        Candidate(False, 0, -0.5, 0, f"{CLAIMS}/models/a", Objection("region", "processed in us")),
        Candidate(False, 0, -0.4, 1, HIDDEN, Objection(UNKNOWN)),
    ]
    return Decision(f"{number:016x}", question, Shortlist([], 1, None), looks, ())


class Rights:
    """Of a caller who may see decisions, or may not."""

    def __init__(self, *, allowed: bool) -> None:
        self.allowed = allowed
        self.demanded: list[tuple[str, str]] = []

    async def demand(self, method: str, action: str, resource: str) -> None:
        del method
        self.demanded.append((action, resource))
        if not self.allowed:
            raise PeerError(grpc.StatusCode.PERMISSION_DENIED, "no", reason_name="ACTION_DENIED", domain="policy.llm-mesh")


async def stored(database: Database, *decisions: Decision) -> SqlDecisions:
    await migrated(database, "llm_mesh_router.store.migrations")
    store = SqlDecisions(database)
    await store.put(decisions)
    return store


async def test_a_decision_outlives_the_router(database: Database) -> None:
    store = await stored(database)
    before = Decisions(10_000)
    for number in range(3):
        before.keep(decision(number))
    await Archive(before, store, SystemClock(), batch=2).close()
    assert not before.unwritten
    explained = await Explanations(Decisions(10_000), store, Rights(allowed=True)).explain(
        f"{CLAIMS}/routeDecisions/{2:016x}", "", Caller("key", principal="domains/claims/principals/other")
    )
    assert explained == decision(2).explanation


async def test_what_the_store_did_not_take_is_written_later(database: Database) -> None:
    store = await stored(database)
    decisions = Decisions(10_000)
    decisions.keep(decision(1))

    class Away(SqlDecisions):
        async def put(self, decisions: Sequence[Decision]) -> None:
            del decisions
            raise store_unavailable()

    with pytest.raises(MeshError, match="STORE_UNAVAILABLE"):
        await Archive(decisions, Away(database), SystemClock()).write()
    await Archive(decisions, store, SystemClock()).write()
    await store.put([decision(1)])  # once more changes nothing
    assert await store.find(CLAIMS, f"{1:016x}") is not None
    assert not decisions.unwritten


def test_what_waits_to_be_written_is_bounded() -> None:
    decisions = Decisions(10_000)
    for number in range(10_050):
        decisions.keep(decision(number))
    assert (len(decisions.unwritten), decisions.unwritten[0].id) == (10_000, f"{50:016x}")


async def test_the_newest_decision_of_a_request_is_found(database: Database) -> None:
    store = await stored(database, decision(1, request="r", age=9), decision(2, request="r"), decision(3, "domains/other", request="r"))
    found = await store.of_request(CLAIMS, "r")
    assert found is not None
    assert found.name.endswith(f"{2:016x}")
    decisions = Decisions(10_000)
    decisions.keep(decision(4, request="r"))
    caller = Caller("key", principal=ANA)
    explained = await Explanations(decisions, store, Rights(allowed=False)).explain(f"{CLAIMS}/routeDecisions/-", "r", caller)
    assert explained.name.endswith(f"{4:016x}")


async def test_old_decisions_go_except_the_newest(database: Database) -> None:
    store = await stored(database, *(decision(number, age=number * 1000) for number in range(6)))
    await store.trim(before=NOW - timedelta(hours=1), least=2, most=100)
    assert [await store.find(CLAIMS, f"{number:016x}") is not None for number in range(6)] == [True] * 4 + [False] * 2
    await store.trim(before=NOW, least=3, most=100)
    assert [await store.find(CLAIMS, f"{number:016x}") is not None for number in range(4)] == [True] * 3 + [False]


async def test_a_domain_does_not_push_out_the_decisions_of_others(database: Database) -> None:
    flood = [decision(number, "domains/flood", age=number) for number in range(20)]
    store = await stored(database, *flood, *(decision(number, age=1000 + number) for number in range(3)))
    await store.trim(before=NOW - timedelta(hours=1), least=1, most=10)
    assert [await store.find(CLAIMS, f"{number:016x}") is not None for number in range(3)] == [True] * 3
    assert [await store.find("domains/flood", f"{number:016x}") is not None for number in range(20)] == [True] * 7 + [False] * 13


async def test_the_requester_is_told_without_what_only_operators_know(database: Database) -> None:
    decisions, rights = Decisions(10_000), Rights(allowed=False)
    decisions.keep(decision(1))
    told = Explanations(decisions, await stored(database), rights)
    mine = await told.explain(f"{CLAIMS}/routeDecisions/{1:016x}", "", Caller("key", principal=ANA))
    assert [candidate.excluded_by for candidate in mine.candidates] == ["region"]
    assert HIDDEN not in str(mine)
    rights.allowed = True
    whole = await told.explain(f"{CLAIMS}/routeDecisions/{1:016x}", "", Caller("key", principal=ANA))
    assert [candidate.model for candidate in whole.candidates] == [f"{CLAIMS}/models/a", HIDDEN]
    assert rights.demanded[-1] == ("routeDecisions.get", f"{CLAIMS}/routeDecisions/{1:016x}")


@pytest.mark.parametrize("name", [f"{CLAIMS}/routeDecisions/{1:016x}", f"{CLAIMS}/routeDecisions/{9:016x}"], ids=["forbidden", "absent"])
@pytest.mark.parametrize("principal", [f"{CLAIMS}/principals/bo", ""])
async def test_a_foreign_decision_is_like_an_absent_one(database: Database, name: str, principal: str) -> None:
    decisions = Decisions(10_000)
    decisions.keep(decision(1))
    told = Explanations(decisions, await stored(database), Rights(allowed=False))
    with pytest.raises(MeshError) as refused:
        await told.explain(name, "", Caller("key", principal=principal))
    assert str(refused.value) == f"DECISION_NOT_FOUND: there is no decision {name}"
    assert refused.value.metadata == {"name": name}


@pytest.mark.parametrize(("name", "request_id"), [("-", ""), ("-", "r" * 129), (f"{1:016x}", "r")])
async def test_a_request_is_named_with_a_dash_and_only_then(database: Database, name: str, request_id: str) -> None:
    told = Explanations(Decisions(10_000), await stored(database), Rights(allowed=True))
    with pytest.raises(MeshError, match="INVALID_FIELD: request_id"):
        await told.explain(f"{CLAIMS}/routeDecisions/{name}", request_id, Caller("key", principal=ANA))


async def test_only_operators_read_the_names_of_credentials(database: Database) -> None:
    told = router_pb2.ExplainDecisionResponse(name=f"{CLAIMS}/routeDecisions/{1:016x}", principal=ANA)
    told.plan.root.failover.children.add().attempt.credential = "team-a"

    class Stored(SqlDecisions):
        async def find(self, domain: str, decision_id: str) -> router_pb2.ExplainDecisionResponse | None:
            del domain, decision_id
            return router_pb2.ExplainDecisionResponse.FromString(told.SerializeToString())

    for allowed, credential in ((True, "team-a"), (False, "")):
        explanations = Explanations(Decisions(10_000), Stored(database), Rights(allowed=allowed))
        answer = await explanations.explain(told.name, "", Caller("key", principal=ANA))
        assert answer.plan.root.failover.children[0].attempt.credential == credential
