"""How a service reaches its peers: by name, through a channel that a generated stub takes, wherever the peer runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.links.fabric import Fabric, LinkError

if TYPE_CHECKING:
    import grpc

    from llm_mesh_runtime.access.heads import HeadCheck
    from llm_mesh_runtime.access.rights import CallerRights
    from llm_mesh_runtime.breakers import Breakers
    from llm_mesh_runtime.health import Health
    from llm_mesh_runtime.heavy import HeavyWork
    from llm_mesh_runtime.pressure import Pressure
    from llm_mesh_runtime.seals import Seals
    from llm_mesh_runtime.settings import MeshSettings
    from llm_mesh_runtime.telemetry.metrics import Metrics

__all__ = ["Fabric", "LinkError", "Links"]


class Links:
    """One service's view of the mesh."""

    def __init__(  # noqa: PLR0913 (a service has this many things of the process)
        self,
        service: str,
        fabric: Fabric,
        *,
        mesh: MeshSettings,
        health: Health,
        metrics: Metrics,
        pressure: Pressure,
        heavy: HeavyWork,
        breakers: Breakers,
        database: Callable[[str], Any] | None = None,
        rights: Callable[[], CallerRights] | None = None,
        heads: Callable[[], HeadCheck] | None = None,
    ) -> None:
        self.service = service
        self.mesh = mesh
        self.health = health
        """The states of the services of this process, for `/readyz`."""
        self.metrics = metrics
        """The metrics of this process: what a service counts, and `render()` for `/metrics`."""
        self.pressure = pressure
        """Whether this process has more work than it can do: asked by whoever lets callers from outside in."""
        self.heavy = heavy
        """Where work on large requests is done: off the event loop, bounded, in turns between tenants."""
        self.breakers = breakers
        """The breakers of this process's adapters, for operators."""
        self._fabric = fabric
        self._database = database
        self._rights = rights
        self._heads = heads

    @property
    def seals(self) -> Seals:
        """The keys that seal admissions, grants and callers."""
        return self._fabric.seals

    @property
    def mesh_id(self) -> str:
        """The id of this mesh among others. Empty: it has neither a name nor a secret."""
        return self._fabric.mesh_id

    @property
    def embedded(self) -> bool:
        """Whether all services share this process and its data directory."""
        return self._fabric.embedded

    def channel(self, name: str) -> grpc.aio.Channel:
        """A channel to the peer, connected lazily. Raises `LinkError` where nobody says where the peer is."""
        return self._fabric.channel(self.service, name)

    def optional(self, name: str) -> grpc.aio.Channel | None:
        """The channel, or None where the peer is neither hosted nor configured."""
        return self._fabric.channel(self.service, name) if self._fabric.reachable(name) else None

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """The peers that are hosted or configured, such as all with the prefix `adapter/`."""
        return self._fabric.names(prefix)

    def database(self, name: str) -> Any:  # noqa: ANN401 (llm_mesh_runtime.database, which only services with data install)
        """The service's own database."""
        if self._database is None:
            raise LinkError(f"{self.service} has no database here")
        return self._database(name)

    def rights(self) -> CallerRights:
        """Asks policy what the caller of the present call may do besides the call itself."""
        if self._rights is None:
            raise LinkError(f"{self.service} cannot ask policy here")
        return self._rights()

    def heads(self) -> HeadCheck:
        """Checks credentials by policy before anything else of a request is read: for services that have another way in than gRPC."""
        if self._heads is None:
            raise LinkError(f"{self.service} checks no credentials here")
        return self._heads()
