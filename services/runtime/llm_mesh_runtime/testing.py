"""Hosts services inside a test, over any link, beside a policy that does as it is told.

async with host(service, link="grpc", settings={"catalogue": Settings()}) as mesh:
stub = CatalogueServiceStub(mesh.channel("catalogue", caller="gateway"))     # as a service of the mesh
stub = CatalogueServiceStub(mesh.application("catalogue", key="mk_ana"))     # as an application, at the public listener
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast

import grpc

from llm_mesh.policy.v1 import admission_pb2, audit_pb2, errors_pb2, policy_pb2, policy_pb2_grpc
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.host import Host
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.settings import MeshSettings
from llm_mesh_runtime.telemetry import Telemetry
from llm_mesh_runtime.telemetry.metrics import Metrics

Link = Literal["local", "grpc", "tls", "mux", "mux-tls"]
LINKS: tuple[Link, ...] = ("local", "grpc", "tls", "mux", "mux-tls")
_CALLER = "console"
_PATIENT = timedelta(seconds=30)
_SECRET = Secret("a secret of tests, at least 32 bytes")


class _PolicyError(MeshError):
    reasons = errors_pb2.ErrorReason


@dataclass
class FakePolicy(policy_pb2_grpc.PolicyServiceServicer):
    """Knows keys, and nothing else of policy. `asked` has every question."""

    keys: dict[str, admission_pb2.Caller] = field(
        default_factory=lambda: {
            "mk_ana": admission_pb2.Caller(
                principal="domains/claims/principals/ana", domain="domains/claims", project="domains/claims/projects/triage"
            )
        }
    )
    denied: set[str] = field(default_factory=set)
    """Actions that no key has."""
    questions: list[policy_pb2.AuthorizeRequest] = field(default_factory=list)
    changes: list[audit_pb2.ChangeRecord] = field(default_factory=list)
    """What services had recorded."""
    revision: int = 1
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def Authorize(self, request: policy_pb2.AuthorizeRequest, context: object) -> policy_pb2.AuthorizeResponse:
        """Yes to the keys that it knows."""
        del context
        self.questions.append(request)
        caller = self.keys.get(request.credential)
        if caller is None:
            raise _PolicyError(errors_pb2.ERROR_REASON_INVALID_CREDENTIAL, "the credential is not valid")
        if request.action in self.denied:
            raise _PolicyError(errors_pb2.ERROR_REASON_ACTION_DENIED, "the credential may not do this", action=request.action)
        answer = policy_pb2.AuthorizeResponse(caller=caller, revision=self.revision)
        answer.sealed_caller.payload = caller.SerializeToString()
        answer.valid_for.FromMilliseconds(1000)
        return answer

    async def RecordChanges(self, request: audit_pb2.RecordChangesRequest, context: object) -> audit_pb2.RecordChangesResponse:
        """Remembers changes, once per event id."""
        del context
        known = {change.event_id for change in self.changes}
        fresh = [change for change in request.changes if change.event_id not in known]
        self.changes += fresh
        return audit_pb2.RecordChangesResponse(recorded=len(fresh))

    async def WatchRevision(
        self, request: policy_pb2.WatchRevisionRequest, context: object
    ) -> AsyncIterator[policy_pb2.WatchRevisionResponse]:
        """The revision, and each change of it."""
        del request, context
        while True:
            changed = self.changed
            yield policy_pb2.WatchRevisionResponse(revision=self.revision)
            await changed.wait()

    def change(self) -> None:
        """Something changed: a new revision."""
        self.revision += 1
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def service(self) -> Service:
        """It, as a service to host."""
        contract = "llm_mesh.policy.v1.PolicyService"
        return Service("policy", (contract,), NoSettings, lambda _settings, _links: Servicers(self.registration()))

    def registration(self) -> Any:  # noqa: ANN401 - a pair as generated code wants it
        """It, as a registration."""
        return (policy_pb2_grpc.add_PolicyServiceServicer_to_server, self)


@dataclass(frozen=True, slots=True)
class NoSettings:
    """Settings of a service that has none."""


class HostedMesh:
    """Services that run inside the test."""

    def __init__(self, link: Link, hosts: Mapping[str, Host], tls: Tls | None, policy: FakePolicy | None) -> None:
        self.link = link
        self.hosts = hosts
        self.policy = policy
        self._tls = tls
        self._opened: list[RemoteChannel] = []

    def channel(self, name: str, *, caller: str = _CALLER) -> grpc.aio.Channel:
        """A channel to the service as another service of the mesh has it. `console` may call everybody."""
        return self.links(caller).channel(name)

    def links(self, caller: str = _CALLER) -> Links:
        """All links of a service that is not hosted."""
        return self._caller_host(caller).links(caller)

    def application(self, name: str, *, key: str = "", metadata: tuple[tuple[str, str], ...] = ()) -> grpc.aio.Channel:
        """A channel to the public listener as an application has it, with a key or without."""
        host = self.hosts[name]
        listener = host.listeners["#public" if self.link == "local" else f"{name}#public"]
        target = f"127.0.0.1:{listener.port}" if self.link == "local" else listener.address
        sent = ((("authorization", f"Bearer {key}"),) if key else ()) + metadata
        channel = RemoteChannel(name, target, Outbound("", identity=lambda: sent), self._tls)
        self._opened.append(channel)
        return cast("grpc.aio.Channel", channel)

    def http(self, name: str) -> str:
        """`host:port` of the service's HTTP listener."""
        return self.hosts[name].http[0].address

    async def close(self) -> None:
        """Close the channels of applications."""
        for channel in self._opened:
            await channel.close()

    def _caller_host(self, caller: str) -> Host:
        return self.hosts.get(caller) or self.hosts[""]


@contextlib.asynccontextmanager
async def host(
    *services: Service,
    link: Link = "local",
    policy: FakePolicy | None = None,
    settings: Mapping[str, Any] | None = None,
    tls: Callable[[str], Mapping[str, str]] | None = None,
    **mesh: Any,  # noqa: ANN401 (mesh settings)
) -> AsyncIterator[HostedMesh]:
    """Run the services: in one host with local links, or each in a host of its own with gRPC between them.

    Without a service named `policy` a `FakePolicy` takes its place. `settings` by service name; `mesh` are mesh settings;
    `tls` gives `tls_certificate`, `tls_key` and `tls_ca` by service name.
    """
    fake = policy or (None if any(service.name == "policy" for service in services) else FakePolicy())
    hosted = (*services, fake.service()) if fake is not None else services
    overrides = dict(settings or {})

    def settings_of(service: Service) -> Any:  # noqa: ANN401 - each service's own dataclass
        return overrides[service.name] if service.name in overrides else service.settings()

    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mesh-", dir="/tmp")))
        hosts: dict[str, Host] = {}
        common = {"data_dir": folder, "http": "127.0.0.1:0", "secret": _SECRET, **mesh}
        if link == "local":
            made = await _hosted(stack, hosted, {"embedded": True, "grpc": "127.0.0.1:0", **common}, settings_of)
            hosts = dict.fromkeys(("", *(service.name for service in hosted)), made)
        else:
            scheme = "mux+unix:" if link.startswith("mux") else "unix:"
            targets = {service.name: f"{scheme}{folder}/{service.name.replace('/', '-')}.sock" for service in hosted}
            common |= {"links": targets, "listen_host": f"unix:{folder}", "public_listener": True}
            for service in reversed(hosted):
                hosts[service.name] = await _hosted(stack, [service], common | _tls(link, tls, service.name), settings_of)
            hosts[""] = await _hosted(stack, [], common | _tls(link, tls, _CALLER), settings_of)
        running = HostedMesh(link, hosts, _authority(link, tls), fake)
        stack.push_async_callback(running.close)
        yield running


async def _hosted(
    stack: contextlib.AsyncExitStack, services: Sequence[Service], mesh: dict[str, Any], settings_of: Callable[[Service], Any]
) -> Host:
    # What a test itself computes makes the loop late too, and says nothing about load.
    made = Host(services, MeshSettings(**{"lateness": _PATIENT, **mesh}), settings_of, telemetry=Telemetry(Metrics()))
    await made.start()
    stack.push_async_callback(made.stop)
    return made


def _tls(link: Link, certificates: Callable[[str], Mapping[str, str]] | None, name: str) -> dict[str, str]:
    if not link.endswith("tls"):
        return {}
    if certificates is None:
        raise ValueError("links with TLS want certificates: give tls=")
    return dict(certificates(name))


def _authority(link: Link, certificates: Callable[[str], Mapping[str, str]] | None) -> Tls | None:
    """What an application needs: the authority, and no certificate of its own."""
    files = _tls(link, certificates, _CALLER)
    return Tls.read("", "", files["tls_ca"]) if files else None
