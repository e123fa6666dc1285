"""The life of a process of the mesh: build, bind, start, serve, drain, close.

Nothing is half started: what fails on the way up closes what came before it, in reverse order.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.access import CallTable, MeshOrigin, PublicOrigin, ServiceTokens, client_keys
from llm_mesh_runtime.access.credentials import Credentials
from llm_mesh_runtime.access.revision import Revisions
from llm_mesh_runtime.binding import Owner
from llm_mesh_runtime.errors import MeshError, with_cause
from llm_mesh_runtime.health import Health
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.host.adapters import PREFIX, shared
from llm_mesh_runtime.host.assembly import Assembly, Hosted, Shared, policy_of
from llm_mesh_runtime.host.keys import mesh_id, mesh_secret, seals_of
from llm_mesh_runtime.host.listeners import GrpcBounds, Listener
from llm_mesh_runtime.host.relays import relayed
from llm_mesh_runtime.host.sockets import PROCESS, prepared, private, socket_of
from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.http.listener import HTTP_SETTING, HttpListener, door_of, mounted
from llm_mesh_runtime.http.tls import HttpTls
from llm_mesh_runtime.links import Fabric, Links
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.pipeline import Drain, Wrapped, methods_of
from llm_mesh_runtime.pressure import Pressure
from llm_mesh_runtime.service import HttpApp, Service
from llm_mesh_runtime.start_error import StartError
from llm_mesh_runtime.tasks import TaskSet
from llm_mesh_runtime.telemetry.trace import outbound
from llm_mesh_runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.server import LinkServer
    from llm_mesh_runtime.settings import MeshSettings
    from llm_mesh_runtime.telemetry import Telemetry

_CLOSE_PATIENCE = 10.0
_GRPC = Owner("gRPC of all services", "LLM_MESH_GRPC (`up --grpc`)")


def _callers_last(service: Service) -> bool:
    """Services close in reverse order: the gateway settles its last requests before policy, which is to be told, goes."""
    return service.name == "gateway" or not service.contracts


class Host:
    """Hosts services in this process. `settings_of` gives each service's settings."""

    def __init__(
        self, services: Sequence[Service], mesh: MeshSettings, settings_of: Callable[[Service], Any], *, telemetry: Telemetry
    ) -> None:
        services = (*services, *_of_several(mesh))
        names = [service.name for service in services]
        if len(set(names)) != len(names):
            raise StartError("a service is named twice")
        self.mesh = mesh
        self.health = Health()
        self.hosted: list[Hosted] = []
        self.listeners: dict[str, Listener] = {}
        self.http: list[HttpListener] = []
        self._services = tuple(sorted(services, key=_callers_last))
        self._settings_of = settings_of
        self._drain = Drain()
        self._bounds = GrpcBounds(mesh.grpc_metadata_bytes, mesh.grpc_streams, mesh.grpc_connections, mesh.grpc_uploads)
        self._revisions = Revisions()
        self._credentials = Credentials(self._revisions)
        self._tasks = TaskSet()
        self._undo = contextlib.AsyncExitStack()
        self._tls = _tls(mesh)
        self._clients = _client_authorities(mesh)
        self._public = _public_origin(mesh)
        self._secret = mesh_secret(mesh)
        mutual = self._tls is not None and self._tls.mutual
        self._tokens = ServiceTokens(self._secret) if self._secret and (mesh.sockets or not mutual) else None
        self._fabric = self._made_fabric(names, telemetry)
        table = CallTable(extended=mesh.allow_calls)
        pressure = Pressure(mesh.lateness.total_seconds())
        heavy = HeavyWork(mesh.heavy_bytes)
        self._undo.callback(heavy.close)
        self._shared = Shared(mesh, self._fabric, self.health, telemetry, self._credentials, self._drain, table, pressure, heavy)

    async def start(self) -> None:
        """Bring everything up to SERVING, or nothing."""
        try:
            await self._up()
        except BaseException:
            await self._undo.aclose()
            raise

    async def stop(self, grace: float | None = None) -> None:
        """NOT_SERVING first, then no new calls, then the end of the running ones, then the services in reverse order.

        `grace` is what is left of the setting, where this process waited for others before.
        """
        self.health.drain()
        self._drain.begin()
        left = self.mesh.grace.total_seconds() if grace is None else grace
        stops = [listener.stop(left) for listener in self.listeners.values()] + [listener.stop(left) for listener in self.http]
        await asyncio.gather(*stops)
        await self._undo.aclose()

    def addresses(self) -> dict[str, str]:
        """Where the process listens."""
        grpc = {name.strip("#"): _shown(listener) for name, listener in self.listeners.items()}
        return grpc | {f"http {number}" if number else "http": http.address for number, http in enumerate(self.http)}

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Have something called when the host ends, before its services do."""
        self._undo.callback(callback)

    def links(self, name: str) -> Links:
        """Links for the host's own use, such as what `up` sets up at its first start."""
        return self._shared.links(name)

    async def _up(self) -> None:
        self._undo.push_async_callback(self._fabric.close)
        prepared(self.mesh.sockets)
        built_in = self._built_in()
        assembly = Assembly(self._shared, built_in)
        for service in self._services:
            hosted = _built(assembly, service, None if service.name.startswith(PROCESS) else self._settings_of(service))
            self.hosted.append(hosted)
            self.health.add(service.name, hosted.health_names)
            self._undo.push_async_callback(_patiently, hosted.servicers.close)
            self._undo.push_async_callback(hosted.local.close)
        self._bind()
        for hosted in self.hosted:
            await _started(hosted)
        self._undo.push_async_callback(self._tasks.close)
        asking = next((hosted.service.name for hosted in self.hosted if hosted.asks_policy), self._credentials.asked_by)
        if asking:
            self._tasks.spawn(self._revisions.follow(policy_of(self._fabric, asking)), name="policy revision")
        for hosted in self.hosted:
            await self.health.poll(hosted.service.name, hosted.servicers.ready)
            self._tasks.spawn(self.health.follow(hosted.service.name, hosted.servicers.ready), name=f"readiness {hosted.service.name}")
        await self._listen(built_in)
        watchdog = Watchdog(self._shared.telemetry.metrics, slow=self.mesh.slow_turn.total_seconds())
        self._undo.callback(watchdog.close)
        watchdog.start()

    async def _listen(self, built_in: tuple[Wrapped, ...]) -> None:
        """Listeners start in an empty context, which every handler's task inherits."""
        for name, listener in self.listeners.items():
            listener.serve((*self._served(name), *built_in), self._link(name))
            await _in_empty_context(listener.start())
        for http in self.http:
            await _in_empty_context(http.start())

    def _link(self, listener: str) -> LinkServer | None:
        """The batched link, which mesh listeners serve beside plain gRPC."""
        name, _, kind = listener.partition("#")
        if kind != "mesh":
            return None
        from llm_mesh_runtime.links.mux.server import LinkServer  # noqa: PLC0415 - embedded, nobody serves it

        hosted = next(hosted for hosted in self.hosted if hosted.service.name == name)
        return LinkServer(hosted.local, hosted.pipeline.access, self._tokens)

    def _served(self, listener: str) -> list[Wrapped]:
        name, _, kind = listener.partition("#")
        chosen = [hosted for hosted in self.hosted if hosted.service.name == name or (not name and not _is_adapter(hosted))]
        own = [wrapped for hosted in chosen for wrapped in hosted.handlers if kind == "mesh" or wrapped.method.public]
        if name:
            return own if kind == "mesh" else [*own, *self._relayed(chosen)]
        taken = {wrapped.method.path for wrapped in own}  # what another service serves is not for adapters to share
        return [*own, *(each for each in shared(filter(_is_adapter, self.hosted)) if each.method.path not in taken)]

    def _relayed(self, services: Sequence[Hosted]) -> list[Wrapped]:
        """What services relay. It has slots of its own: whoever follows a tail takes none from those who ask models."""
        assembly = Assembly(self._shared)
        return [
            wrapped
            for hosted in services
            for wrapped in relayed(hosted.servicers.relays(), hosted.links, assembly.pipeline(hosted.service.name))
        ]

    def _bind(self) -> None:
        """Bind every address before any service starts: a taken port must leave nothing behind."""
        self._undo.push_async_callback(self._unbind)
        deadline = self.mesh.stream_deadline.total_seconds()
        if self.mesh.embedded and any(hosted.handlers for hosted in self.hosted):
            self.listeners["#public"] = Listener(
                self.mesh.grpc,
                self._public,
                tls=self._tls,
                clients=self._clients,
                owner=_GRPC,
                stream_deadline=deadline,
                bounds=self._bounds,
            )
        for hosted in self.hosted:
            if self.mesh.sockets:
                self._bind_private(hosted, deadline)
            elif not self.mesh.embedded:
                self._bind_alone(hosted, deadline)
        addresses: dict[str, list[HttpApp]] = {}
        owners: dict[str, str] = {}
        bounds = HttpBounds.of(self.mesh)
        for hosted in self.hosted:
            for app in hosted.http:
                addresses.setdefault(app.address or self.mesh.http, []).append(app)
                owners.setdefault(app.address or self.mesh.http, hosted.service.name)
        tls = HttpTls.of(self.mesh)
        for address, apps in addresses.items():
            shared = bool(self.mesh.sockets) and not self.mesh.embedded
            owner = Owner(f"the {owners[address]}'s HTTP", apps[0].setting or HTTP_SETTING)
            secured = tls if address == self.mesh.http else None
            listener = HttpListener(address, mounted(apps), door=door_of(apps), owner=owner, shared=shared, bounds=bounds, tls=secured)
            self.http.append(listener)

    def _bind_private(self, hosted: Hosted, deadline: float) -> None:
        """For the other processes of this mesh: the one that owns the data serves all services there, a worker only tells of itself."""
        name = hosted.service.name
        if hosted.handlers and (self.mesh.embedded or name.startswith(PROCESS)):
            path = socket_of(self.mesh.sockets, name)
            origin = MeshOrigin(name, self._tokens, mutual_tls=False)
            self.listeners[f"{name}#mesh"] = Listener(f"unix:{path}", origin, stream_deadline=deadline, bounds=self._bounds)
            path.chmod(0o600)

    def _bind_alone(self, hosted: Hosted, deadline: float) -> None:
        if not hosted.handlers:
            return
        service, mutual = hosted.service, self._tls is not None and self._tls.mutual
        if not mutual and not self._secret:
            raise StartError("services that run alone prove who they are: set LLM_MESH_SECRET, or give TLS files with an authority")
        origin = MeshOrigin(service.name, self._tokens, mutual_tls=mutual)
        address = _address(self.mesh, service, public=False)
        owner = _owner(service, "PORT")
        self.listeners[f"{service.name}#mesh"] = Listener(
            address, origin, tls=self._tls, mutual=mutual, owner=owner, stream_deadline=deadline, bounds=self._bounds
        )
        if self.mesh.public_listener:
            address, owner = _address(self.mesh, service, public=True), _owner(service, "PUBLIC_PORT")
            self.listeners[f"{service.name}#public"] = Listener(
                address, self._public, tls=self._tls, clients=self._clients, owner=owner, stream_deadline=deadline, bounds=self._bounds
            )

    async def _unbind(self) -> None:
        for listener in self.listeners.values():
            await listener.stop(0)
        for http in self.http:
            await http.stop(0)

    def _built_in(self) -> tuple[Wrapped, ...]:
        """Health, and reflection where it is on: open to everybody, past the limiter."""
        from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server  # noqa: PLC0415 - loaded once hosting begins

        registrations: list[Any] = [(add_HealthServicer_to_server, self.health)]
        reflected = self.mesh.embedded if self.mesh.reflection is None else self.mesh.reflection
        if reflected:
            from llm_mesh_runtime.reflection import registrations as reflection  # noqa: PLC0415 - a setting

            served = [service for service in self._services if not service.name.startswith(PROCESS)]
            contracts = [contract for service in served for contract in service.contracts]
            registrations += reflection(dict.fromkeys((*contracts, "grpc.health.v1.Health")))
        pipeline = Assembly(self._shared).pipeline("host")
        return tuple(pipeline.wrap(method) for method in methods_of(registrations, open_access=True))

    def _made_fabric(self, names: Sequence[str], telemetry: Telemetry) -> Fabric:
        return Fabric(
            names,
            seals=seals_of(self.mesh),
            targets=self.mesh.links,
            tls=self._tls,
            tokens=ServiceTokens(self._secret) if self._secret else None,
            trace=outbound,
            metrics=telemetry.metrics,
            embedded=self.mesh.embedded,
            private=private(self.mesh.sockets),
            mesh_id=mesh_id(self.mesh),
        )


def _of_several(mesh: MeshSettings) -> tuple[Service, ...]:
    """What a process that is one of several serves beside its services."""
    if not mesh.process:
        return ()
    from llm_mesh_runtime.host.process import process_service  # noqa: PLC0415 - a process alone has nobody to tell

    return (process_service(mesh.process),)


def _shown(listener: Listener) -> str:
    if listener.address.startswith("unix:"):
        return listener.address
    return f"{listener.address.rpartition(':')[0]}:{listener.port}"


def _is_adapter(hosted: Hosted) -> bool:
    """Adapters share one contract: at a listener of all services, the caller names the one that is meant."""
    return hosted.service.name.startswith(PREFIX)


def _address(mesh: MeshSettings, service: Service, *, public: bool) -> str:
    """A port of the service's own, or a socket file where the host is a folder, `unix:/run/llm-mesh`."""
    if mesh.listen_host.startswith("unix:"):
        return f"{mesh.listen_host}/{service.name.replace('/', '-')}{'-public' if public else ''}.sock"
    return f"{mesh.listen_host}:{mesh.port_of(service.name, service.port, public=public)}"


def _owner(service: Service, kind: str) -> Owner:
    name = service.name.upper().replace("/", "_").replace("-", "_")
    return Owner(f"{service.name}'s gRPC", f"LLM_MESH_{kind}_{name}")


def _tls(mesh: MeshSettings) -> Tls | None:
    try:
        return Tls.read(mesh.tls_certificate, mesh.tls_key, mesh.tls_ca)
    except OSError as error:
        raise StartError(f"{error.filename} cannot be read: {error.strerror}") from error


def _client_authorities(mesh: MeshSettings) -> bytes:
    """Who may sign the certificates of clients at public listeners. Empty: they need none."""
    try:
        return Path(mesh.grpc_tls_client_ca).read_bytes() if mesh.grpc_tls_client_ca else b""
    except OSError as error:
        raise StartError(f"{error.filename} cannot be read: {error.strerror}") from error


def _public_origin(mesh: MeshSettings) -> PublicOrigin:
    try:
        return PublicOrigin(client_keys(mesh.grpc_client_keys.values()))
    except ValueError as error:
        raise StartError(str(error)) from error


def _built(assembly: Assembly, service: Service, settings: Any) -> Hosted:  # noqa: ANN401 (each service's own dataclass)
    try:
        return assembly.build(service, settings)
    except (ValueError, LookupError, OSError) as error:
        raise StartError(f"{service.name} cannot be built: {error}") from error


async def _started(hosted: Hosted) -> None:
    try:
        await hosted.servicers.start()
    except Exception as error:
        if not isinstance(error, MeshError | OSError | StartError):
            get_logger().error("the service failed to start", service=hosted.service.name, exc_info=error)
        raise StartError(f"{hosted.service.name} cannot start: {with_cause(error)}") from error


async def _patiently(close: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_PATIENCE):
            await close()


async def _in_empty_context(work: Any) -> None:  # noqa: ANN401 - a coroutine
    await asyncio.get_running_loop().create_task(work, context=contextvars.Context())
