"""Brings the wanted state about: everything is tried first, so that a file that one service refuses changes nothing anywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from llm_mesh.catalogue.v1 import catalogue_pb2_grpc
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2_grpc
from llm_mesh_cli.apply.subscribing import Subscribing
from llm_mesh_runtime.errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.apply.wanted import Wanted
    from llm_mesh_cli.session import Session
    from llm_mesh_runtime.errors import PeerError

_TIMEOUT = 60.0
_OPTIONS = frozenset({"parent", "dry_run"})


class Step(NamedTuple):
    """One service's change."""

    service: str
    change: resources_pb2.Change


class RefusedError(Exception):
    """One service refused a part of the file. `done` are the services that were changed before."""

    def __init__(self, part: str, error: PeerError, done: tuple[str, ...]) -> None:
        super().__init__(str(error))
        self.part = part
        self.service = service_of(part)
        self.error = error
        self.done = done


async def apply(session: Session, wanted: Wanted, *, dry_run: bool) -> list[Step]:
    """What changed, or would: policy, then registry, router, catalogue and subscriptions, each all or nothing."""
    steps = await _round(session, wanted, dry_run=True)
    if dry_run or all(step.change.action == resources_pb2.CHANGE_ACTION_NONE for step in steps):
        return steps
    return await _round(session, wanted, dry_run=False)


async def _round(session: Session, wanted: Wanted, *, dry_run: bool) -> list[Step]:
    steps: list[Step] = []
    done: list[str] = []
    for part, request, method in _calls(session, wanted):
        if not any(name not in _OPTIONS for name in (field.name for field, _ in request.ListFields())):
            continue
        request.dry_run = dry_run
        try:
            answer = await method(request, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise RefusedError(part, from_rpc_error(error, peer=service_of(part)), tuple(done)) from error
        steps += [Step(service_of(part), change) for change in answer.changes]
        if not dry_run:
            done.append(service_of(part))
    return steps


def service_of(part: str) -> str:
    """The service that keeps a part of the file."""
    return "registry" if part == "subscriptions" else part


def _calls(session: Session, wanted: Wanted) -> tuple[tuple[str, Any, Callable[..., Awaitable[Any]]], ...]:
    registry = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    return (
        ("policy", wanted.policy, rules_pb2_grpc.RuleServiceStub(session.channel("policy")).ApplyPolicy),
        ("registry", wanted.registry, registry.ApplyModels),
        ("router", wanted.router, router_pb2_grpc.RouterServiceStub(session.channel("router")).ApplyRoutes),
        ("catalogue", wanted.catalogue, catalogue_pb2_grpc.CatalogueServiceStub(session.channel("catalogue")).ApplyPrompts),
        ("subscriptions", wanted.subscriptions, Subscribing(registry, wanted)),
    )
