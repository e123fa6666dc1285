"""Brings the wanted state about: everything is tried first, so that a file that one service refuses changes nothing anywhere.

A service takes so much in one call. A larger file is sent in several calls, each all or nothing, which have all been tried before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from llm_mesh.catalogue.v1 import catalogue_pb2_grpc
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2_grpc
from llm_mesh_cli.apply.pages import CallPage, pages
from llm_mesh_cli.apply.subscribing import Subscribing
from llm_mesh_cli.templates import newest_messages, replaced
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.apply.desired import DesiredState
    from llm_mesh_cli.session import Session
    from llm_mesh_runtime.errors import PeerError

_TIMEOUT = 60.0
_OPTIONS = frozenset({"parent", "dry_run", "allow_missing_targets"})


class ServiceChange(NamedTuple):
    """One service's change."""

    service: str
    change: resources_pb2.Change


class PartRefusedError(Exception):
    """One service refused a part of the file. `done` are the calls that changed something before; `field` is the one that is wrong."""

    def __init__(self, part: str, error: PeerError, done: tuple[str, ...], field: str) -> None:
        super().__init__(str(error))
        self.part = part
        self.service = service_of(part)
        self.error = error
        self.done = done
        self.field = field


class LoosensError(Exception):
    """The file loosens guards, which nobody allowed. Nothing was changed."""

    def __init__(self, steps: list[ServiceChange]) -> None:
        super().__init__()
        self.steps = steps


async def apply(session: Session, desired: DesiredState, *, dry_run: bool, loosening: bool, force: bool = False) -> list[ServiceChange]:
    """What changed, or would: policy, then registry, router, catalogue and subscriptions. Each call is all or nothing.

    `LoosensError` where guards would be loosened, unless `loosening` allows it. `force`: routes may name models that do not exist.
    """
    await _complete_prompts(session, desired)
    calls = [_Call(part, pages(request), method) for part, request, method in _calls(session, desired)]
    steps = await _round(calls, dry_run=True, force=force)
    if dry_run or all(step.change.action == resources_pb2.CHANGE_ACTION_NONE for step in steps):
        return steps
    if not loosening and any(step.change.loosens for step in steps):
        raise LoosensError([step for step in steps if step.change.loosens])
    return await _round(calls, dry_run=False, force=force)


async def _complete_prompts(session: Session, desired: DesiredState) -> None:
    """Prompts of which the file names some messages keep the others."""
    catalogue = catalogue_pb2_grpc.CatalogueServiceStub(session.channel("catalogue"))
    for prompt in desired.catalogue.prompts:
        templates = desired.templates.get(prompt.name)
        if templates:
            del prompt.version.messages[:]
            prompt.version.messages.extend(replaced(prompt.name, await newest_messages(catalogue, prompt.name), templates))


def split(desired: DesiredState) -> dict[str, int]:
    """The parts of the file that are sent in several calls, and in how many."""
    counts = {part: len(pages(getattr(desired, part))) for part in ("policy", "registry", "router", "catalogue", "subscriptions")}
    return {part: count for part, count in counts.items() if count > 1}


class _Call(NamedTuple):
    part: str
    pages: Sequence[CallPage]
    method: Callable[..., Awaitable[Any]]


async def _round(calls: Sequence[_Call], *, dry_run: bool, force: bool) -> list[ServiceChange]:
    steps: dict[str, ServiceChange] = {}
    done: list[str] = []
    for part, several, method in calls:
        service = service_of(part)
        for number, page in enumerate(several, start=1):
            if not any(field.name not in _OPTIONS for field, _ in page.request.ListFields()):
                continue
            page.request.dry_run = dry_run
            if part == "router":  # when it is tried, the models that the file makes are not there yet
                page.request.allow_missing_targets = force or dry_run
            try:
                answer = await method(page.request, timeout=_TIMEOUT)
            except grpc.aio.AioRpcError as error:
                failure = from_rpc_error(error, peer=service)
                raise PartRefusedError(part, failure, tuple(done), page.whole(failure.field)) from error
            for change in answer.changes:  # what several calls name changes with the first of them
                steps.setdefault(f"{part}/{change.resource}", ServiceChange(service, change))
            if not dry_run:
                done.append(service if len(several) == 1 else f"{service} ({number} of {len(several)})")
    return list(steps.values())


def service_of(part: str) -> str:
    """The service that keeps a part of the file."""
    return "registry" if part == "subscriptions" else part


def _calls(session: Session, desired: DesiredState) -> tuple[tuple[str, Any, Callable[..., Awaitable[Any]]], ...]:
    registry = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    return (
        ("policy", desired.policy, rules_pb2_grpc.RuleServiceStub(session.channel("policy")).ApplyPolicy),
        ("registry", desired.registry, registry.ApplyModels),
        ("router", desired.router, router_pb2_grpc.RouterServiceStub(session.channel("router")).ApplyRoutes),
        ("catalogue", desired.catalogue, catalogue_pb2_grpc.CatalogueServiceStub(session.channel("catalogue")).ApplyPrompts),
        ("subscriptions", desired.subscriptions, Subscribing(registry, desired)),
    )
