"""Builds hosted services: settings, links, servicers, and each handler wrapped once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.access import AccessStage, CallTable
from llm_mesh_runtime.access.credentials import Credentials
from llm_mesh_runtime.access.heads import HeadCheck
from llm_mesh_runtime.access.resources import check
from llm_mesh_runtime.access.rights import CallerRights
from llm_mesh_runtime.breakers import Breakers
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.links import Fabric, Links
from llm_mesh_runtime.links.local import LocalServer
from llm_mesh_runtime.pipeline import Pipeline, Wrapped, methods_of
from llm_mesh_runtime.pressure import Pressure
from llm_mesh_runtime.service import HttpApp, Service, Servicers
from llm_mesh_runtime.status import Failures

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
    from llm_mesh_runtime.health import Health
    from llm_mesh_runtime.pipeline.drain import Drain
    from llm_mesh_runtime.settings import MeshSettings
    from llm_mesh_runtime.telemetry import Telemetry

POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Hosted:
    """One service that is built."""

    service: Service
    links: Links
    servicers: Servicers
    handlers: tuple[Wrapped, ...]
    local: LocalServer
    pipeline: Pipeline
    asks_policy: bool

    @property
    def health_names(self) -> tuple[str, ...]:
        """What health calls it: its contracts, or `adapter/<name>` and `process/<name>`, of which several share one."""
        return (self.service.name,) if "/" in self.service.name else self.service.contracts

    @property
    def http(self) -> tuple[HttpApp, ...]:
        """Its HTTP applications. Those that share the mesh's listener stand below the prefix that the service declares."""
        prefix = self.service.http_prefix
        return tuple(each if each.address or each.prefix else replace(each, prefix=prefix) for each in self.servicers.http)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all services of a process share."""

    mesh: MeshSettings
    fabric: Fabric
    health: Health
    telemetry: Telemetry
    credentials: Credentials
    drain: Drain
    table: CallTable
    pressure: Pressure
    heavy: HeavyWork
    breakers: Breakers = field(default_factory=Breakers)

    def links(self, name: str, settings: Any = None) -> Links:  # noqa: ANN401 (each service's own dataclass)
        """One service's view of the mesh."""
        opened = None if settings is None else functools.partial(_database, settings=settings, mesh=self.mesh)
        return Links(
            name,
            self.fabric,
            mesh=self.mesh,
            health=self.health,
            metrics=self.telemetry.metrics,
            pressure=self.pressure,
            heavy=self.heavy,
            breakers=self.breakers,
            database=opened,
            rights=lambda: CallerRights(self.stage(name)),
            heads=functools.partial(self._heads, name),
        )

    def stage(self, name: str) -> AccessStage:
        """The access stage of a service."""
        return AccessStage(name, self.table, policy_of(self.fabric, name), self.credentials)

    def _heads(self, name: str) -> HeadCheck:
        self.fabric.channel(name, POLICY)  # fails now, not with the first request
        return HeadCheck(name, self.credentials, policy_of(self.fabric, name))


class Assembly:
    """Builds services. `extra` are handlers that every service answers: health and reflection."""

    def __init__(self, shared: Shared, extra: tuple[Wrapped, ...] = ()) -> None:
        self._shared = shared
        self._extra = extra

    def build(self, service: Service, settings: Any) -> Hosted:  # noqa: ANN401 - each service's own dataclass
        """Build one service and make it reachable on the local link."""
        links = self._shared.links(service.name, settings)
        servicers = service.build(settings, links)
        methods = methods_of(servicers.registrations)
        missing = set(service.contracts) - {method.contract for method in methods}
        if missing:
            raise ValueError(f"{service.name} declares {', '.join(sorted(missing))} but registers no servicer for it")
        asks_policy = any(method.public for method in methods)
        if asks_policy:
            self._shared.fabric.channel(service.name, POLICY)  # fails now, not with the first call
        pipeline = self.pipeline(service.name)
        for method in methods:
            if method.rule is not None:
                check(method.rule.resource, method.request)
        handlers = tuple(pipeline.wrap(method) for method in methods)
        local = LocalServer(service.name, (*handlers, *self._extra))
        self._shared.fabric.add(local)
        return Hosted(service, links, servicers, handlers, local, pipeline, asks_policy)

    def pipeline(self, name: str) -> Pipeline:
        """The stages of one service."""
        shared, mesh = self._shared, self._shared.mesh
        return Pipeline(
            service=name,
            limiter=Limiter(mesh.concurrency, mesh.queue, mesh.share_reserve),
            pressure=shared.pressure,
            access=shared.stage(name),
            observer=shared.telemetry.observer(name),
            faults=Failures(),
            drain=shared.drain,
            unary_deadline=mesh.unary_deadline.total_seconds(),
            stream_deadline=mesh.stream_deadline.total_seconds(),
        )


def policy_of(fabric: Fabric, caller: str) -> Callable[[], PolicyServiceStub]:
    """Makes policy's stub when it is first needed."""
    stubs: list[PolicyServiceStub] = []

    def policy() -> PolicyServiceStub:
        if not stubs:
            from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub  # noqa: PLC0415 (loaded once it is needed)

            stubs.append(PolicyServiceStub(fabric.channel(caller, POLICY)))
        return stubs[0]

    return policy


def _database(name: str, *, settings: Any, mesh: MeshSettings) -> Any:  # noqa: ANN401 (llm_mesh_runtime.database, an optional part)
    from llm_mesh_runtime.database import open_database  # noqa: PLC0415 - only services with data install SQLAlchemy

    return open_database(name, settings.database_url, mesh)
