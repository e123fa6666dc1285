"""Builds hosted services: settings, links, servicers, and each handler wrapped once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.access import AccessStage, CallTable
from llm_mesh_runtime.access.resources import check
from llm_mesh_runtime.access.revision import Revisions
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.links import Fabric, Links
from llm_mesh_runtime.links.local import LocalServer
from llm_mesh_runtime.pipeline import Pipeline, Wrapped, methods_of
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.status import Failures

if TYPE_CHECKING:
    from llm_mesh_runtime.pipeline.drain import Drain
    from llm_mesh_runtime.pipeline.stages import Observer
    from llm_mesh_runtime.settings import MeshSettings

POLICY = "policy"
Observers = Callable[[str], "Observer"]


@dataclass(frozen=True, slots=True)
class Hosted:
    """One service that is built."""

    service: Service
    links: Links
    servicers: Servicers
    handlers: tuple[Wrapped, ...]
    local: LocalServer
    asks_policy: bool

    @property
    def health_names(self) -> tuple[str, ...]:
        """What health calls it: its contracts, or `adapter/<name>`, which several share."""
        return (self.service.name,) if self.service.name.startswith("adapter/") else self.service.contracts


class Assembly:
    """What all services of a process share while they are built."""

    def __init__(  # noqa: PLR0913 - the process's whole wiring
        self, mesh: MeshSettings, fabric: Fabric, revisions: Revisions, drain: Drain, observer: Observers, extra: tuple[Wrapped, ...] = ()
    ) -> None:
        self._mesh = mesh
        self._fabric = fabric
        self._revisions = revisions
        self._drain = drain
        self._observer = observer
        self._extra = extra
        self._table = CallTable(extended=mesh.allow_calls)

    def build(self, service: Service, settings: Any) -> Hosted:  # noqa: ANN401 - each service's own dataclass
        """Build one service and make it reachable on the local link."""
        links = Links(service.name, self._fabric, mesh=self._mesh, database=lambda name: _database(name, settings, self._mesh))
        servicers = service.build(settings, links)
        methods = methods_of(servicers.registrations)
        missing = set(service.contracts) - {method.contract for method in methods}
        if missing:
            raise ValueError(f"{service.name} declares {', '.join(sorted(missing))} but registers no servicer for it")
        asks_policy = any(method.public for method in methods)
        if asks_policy:
            self._fabric.channel(service.name, POLICY)  # fails now, not with the first call
        pipeline = self.pipeline(service.name)
        for method in methods:
            check(method.rule.resource, method.request) if method.rule is not None else None
        handlers = tuple(pipeline.wrap(method) for method in methods)
        local = LocalServer(service.name, (*handlers, *self._extra))
        self._fabric.add(local)
        return Hosted(service, links, servicers, handlers, local, asks_policy)

    def pipeline(self, name: str) -> Pipeline:
        """The stages of one service."""
        mesh = self._mesh
        return Pipeline(
            service=name,
            limiter=Limiter(mesh.concurrency, mesh.queue),
            access=AccessStage(name, self._table, policy_of(self._fabric, name), self._revisions),
            observer=self._observer(name),
            faults=Failures(),
            drain=self._drain,
            unary_deadline=mesh.unary_deadline.total_seconds(),
            stream_deadline=mesh.stream_deadline.total_seconds(),
        )


def policy_of(fabric: Fabric, caller: str) -> Callable[[], Any]:
    """Makes policy's stub when it is first needed."""
    stubs: list[Any] = []

    def policy() -> Any:  # noqa: ANN401 - the stub's module is loaded late
        if not stubs:
            from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub  # noqa: PLC0415

            stubs.append(PolicyServiceStub(fabric.channel(caller, POLICY)))
        return stubs[0]

    return policy


def _database(name: str, settings: Any, mesh: MeshSettings) -> Any:  # noqa: ANN401 - llm_mesh_runtime.database, an optional part
    from llm_mesh_runtime.database import open_database  # noqa: PLC0415 - only services with data install SQLAlchemy

    return open_database(name, settings.database_url, mesh)
