"""Routes that name models which do not exist are refused, with the field and the nearest name, unless their caller allows it."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.models import Models
from llm_mesh_router.domain.targets import Targets
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from tests.router.test_router_store import table_with

OWN = "domains/claims/models/gpt"
SHARED = "domains/shared/models/claude"
OFFERED = "domains/sales/models/offered"
PRIVATE = "domains/sales/models/private"


class Registry:
    """Knows one model more than the router has heard of."""

    def __init__(self) -> None:
        self.late = registry_pb2.Model(name="domains/claims/models/late")
        self.asked: list[str] = []
        self.away = False

    async def model(self, name: str) -> registry_pb2.Model | None:
        self.asked.append(name)
        if self.away:
            raise RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, "the registry is away")
        return self.late if name == self.late.name else None


def models() -> Models:
    made = Models()
    for name, receivers in ((OWN, []), (SHARED, []), (OFFERED, ["domains/claims"]), (PRIVATE, ["domains/other"])):
        made.put(registry_pb2.Model(name=name, alias=name.rpartition("/")[2], shared_with=receivers))
    return made


def route(*targets: str, alias: str = "r") -> router_pb2.Route:
    each = [router_pb2.RouteTarget(model=target) for target in targets]
    return router_pb2.Route(name=f"domains/claims/routes/{alias}", alias=alias, targets=each)


async def refused(work: Awaitable[object]) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await work
    return refusal.value


@pytest.mark.parametrize("name", [OWN, SHARED, OFFERED, "domains/claims/models/late"])
async def test_what_a_domain_may_see_may_be_named(name: str) -> None:
    await Targets(models(), Registry()).check(route(name))


async def test_what_the_router_knows_is_not_asked_for() -> None:
    registry = Registry()
    await Targets(models(), registry).check(route(OWN, SHARED, OFFERED))
    assert not registry.asked


async def test_a_misspelt_target_is_named_with_the_nearest_that_exists() -> None:
    failure = await refused(Targets(models(), Registry()).check(route(SHARED, "domains/claims/models/gtp")))
    assert (failure.reason_name, failure.field, failure.metadata["nearest"]) == ("TARGET_NOT_FOUND", "route.targets[1].model", OWN)
    assert f"did you mean {OWN}?" in failure.message


async def test_what_is_not_offered_looks_like_what_does_not_exist() -> None:
    targets = Targets(models(), Registry())
    hidden = await refused(targets.check(route(PRIVATE)))
    absent = await refused(targets.check(route("domains/sales/models/privat")))
    assert hidden.reason_name == absent.reason_name == "TARGET_NOT_FOUND"
    assert hidden.message.replace(PRIVATE, "it") == absent.message.replace("domains/sales/models/privat", "it")
    assert hidden.metadata == absent.metadata


async def test_where_nothing_is_near_nothing_is_suggested() -> None:
    failure = await refused(Targets(models(), Registry()).check(route("domains/zzz/models/qqq")))
    assert "nearest" not in failure.metadata


async def test_a_registry_that_is_away_refuses_what_is_not_known() -> None:
    registry = Registry()
    registry.away = True
    assert (await refused(Targets(models(), registry).check(route("domains/claims/models/late")))).reason_name == "PEER_UNAVAILABLE"


@pytest.mark.parametrize("way", ["create", "update", "apply"])
async def test_each_way_to_write_a_route_refuses_and_changes_nothing(database: Database, way: str) -> None:
    routes = await table_with(database, Targets(models(), Registry()))
    kept = await routes.create("domains/claims", "kept", route(OWN, alias="kept"))
    wrong = route("domains/claims/models/gtp", alias="kept" if way == "update" else "r")
    wrong.etag = kept.etag

    async def write(*, allow: bool) -> object:
        if way == "create":
            return await routes.create("domains/claims", "r", wrong, allow_missing=allow)
        if way == "update":
            return await routes.update(wrong, allow_missing=allow)
        wrong.etag = ""
        return await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/claims", routes=[wrong], allow_missing_targets=allow))

    failure = await refused(write(allow=False))
    assert failure.reason_name == "TARGET_NOT_FOUND"
    assert failure.field == ("routes[0]" if way == "apply" else "route") + ".targets[0].model"
    assert (await routes.get("domains/claims/routes/kept")) == kept
    await write(allow=True)
    assert (await routes.get(wrong.name)).targets[0].model == "domains/claims/models/gtp"
