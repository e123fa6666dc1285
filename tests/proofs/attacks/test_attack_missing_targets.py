"""A route that names a model which does not exist is refused over gRPC as in the command line, and `--force` is a field of the request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.refusals import refused
from tests.proofs.stand import Stand, model, provider, stand

OWNER = "domains/default"
KNOWN, WRONG = "domains/shared/models/plain", "domains/shared/models/plian"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("missing-targets")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("plain", "sim-echo")])
        yield made


def route(name: str, target: str) -> router_pb2.Route:
    return router_pb2.Route(name=f"{OWNER}/routes/{name}", alias=name, targets=[router_pb2.RouteTarget(model=target)])


def router(mesh: Stand) -> Any:
    return router_pb2_grpc.RouterServiceStub(mesh.channel)


def test_a_target_that_does_not_exist_is_refused_by_each_method_and_changes_nothing(mesh: Stand) -> None:
    stub = router(mesh)
    made = stub.CreateRoute(
        router_pb2.CreateRouteRequest(parent=OWNER, route_id="kept", route=route("kept", KNOWN)), metadata=mesh.admin, timeout=20
    ).route
    changed = router_pb2.Route()
    changed.CopyFrom(made)
    changed.targets[0].model = WRONG
    create = router_pb2.CreateRouteRequest(parent=OWNER, route_id="new", route=route("new", WRONG))
    applied = [router_pb2.ApplyRoutesRequest(parent=OWNER, routes=[changed], dry_run=dry_run) for dry_run in (True, False)]
    writes = [
        (stub.CreateRoute, create, "route"),
        (stub.UpdateRoute, router_pb2.UpdateRouteRequest(route=changed), "route"),
        *((stub.ApplyRoutes, request, "routes[0]") for request in applied),
    ]
    for method, request, owner in writes:
        told = refused(partial(method, request, metadata=mesh.admin, timeout=20))
        assert (told.reason, told.field) == ("TARGET_NOT_FOUND", f"{owner}.targets[0].model"), told
        assert f"did you mean {KNOWN}?" in told.message
    names = {each.name for each in stub.ListRoutes(router_pb2.ListRoutesRequest(parent=OWNER), metadata=mesh.admin).routes}
    assert f"{OWNER}/routes/new" not in names
    assert stub.GetRoute(router_pb2.GetRouteRequest(name=made.name), metadata=mesh.admin).route.targets[0].model == KNOWN


def test_whoever_says_so_may_name_a_model_that_comes_later(mesh: Stand) -> None:
    wanted = router_pb2.CreateRouteRequest(parent=OWNER, route_id="later", route=route("later", WRONG), allow_missing_targets=True)
    made = router(mesh).CreateRoute(wanted, metadata=mesh.admin, timeout=20).route
    assert made.targets[0].model == WRONG


def test_a_model_that_was_made_just_now_may_be_named(mesh: Stand) -> None:
    fresh = model("fresh", "sim-echo")
    mesh.put_models([fresh], [route("at-once", fresh.name)])


def test_the_command_line_sets_the_field_with_force_alone(mesh: Stand) -> None:
    told = mesh.mesh.cli("routes", "create", "default/forced", "--target", "shared/plian")
    assert told.returncode == 5, told
    assert "did you mean" in told.stderr
    mesh.mesh.cli("routes", "create", "default/forced", "--target", "shared/plian", "--force")
    kept = router(mesh).GetRoute(router_pb2.GetRouteRequest(name=f"{OWNER}/routes/forced"), metadata=mesh.admin).route
    assert kept.targets[0].model == WRONG
