"""How every service of a mesh is: those that could be asked, those that did not answer, and those of which nobody says where they are."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import time
from collections.abc import Collection, Iterable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.services import SERVICES
from llm_mesh_cli.instances import instances
from llm_mesh_runtime.health import TIME

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_ADAPTERS = "adapter/"
USUAL = tuple(each.name for each in SERVICES if each.in_mesh and not each.name.startswith(_ADAPTERS))
"""What a whole mesh has, besides adapters."""
_EDGE = "edge"
_WITHOUT_GRPC = (*(each.name for each in SERVICES if not each.contracts), "console")
_TIMEOUT = 5.0
_SERVING = health_pb2.HealthCheckResponse.SERVING


class ServiceHealth(Enum):
    """How a service is, in the words of the table."""

    SERVING = "serving"
    NOT_SERVING = "NOT SERVING"
    SILENT = "NO ANSWER"
    NOT_ASKED = "NOT ASKED"


_STATES = {gateway_pb2.SERVICE_STATE_SERVING: ServiceHealth.SERVING, gateway_pb2.SERVICE_STATE_UNREACHABLE: ServiceHealth.SILENT}
_SEEN_BY_GATEWAY = "as the gateway sees it"


class Seen(NamedTuple):
    """What was learnt of one service, or of a contract or process of it."""

    name: str
    state: ServiceHealth
    detail: str = ""


class ListenerAnswer(NamedTuple):
    """The health of the services behind one address, or why it could not be asked."""

    service: str
    address: str
    states: dict[str, ServiceHealth]
    failure: str = ""
    ahead: float | None = None
    """Seconds that its clock is ahead of this machine's; unset where it did not say."""


async def places(session: Session) -> list[tuple[str, str]]:
    """Every listener whose address is known, each instance by itself, with the service that it belongs to."""
    named = [("gateway", session.address())]
    if not session.access.address:
        own = ((name, address) for name, address in session.settings.addresses.items() if name not in _WITHOUT_GRPC)
        named += [place for place in own if place != named[0]]
    resolved = await asyncio.gather(*(instances(address) for _, address in named))
    return [(service, address) for (service, _), known in zip(named, resolved, strict=True) for address in known]


async def answers(session: Session) -> list[ListenerAnswer]:
    """What each listener says of the services that it serves."""
    return list(await asyncio.gather(*(_ask(session, service, address) for service, address in await places(session))))


async def survey(session: Session, without: Collection[str] = ()) -> list[Seen]:
    """All services, by name; those `without` which the mesh is meant to run are not missed."""
    answered = await answers(session)
    seen = [Seen(name, state, _place(answer, answered)) for answer in answered for name, state in answer.states.items()]
    seen += [Seen(answer.service, ServiceHealth.SILENT, f"{answer.address}: {answer.failure}") for answer in answered if answer.failure]
    if any(answer.states for answer in answered):
        seen += await _edge(session)
        seen += await _by_gateway(session, {service_of(each.name) for each in seen})
        seen += list(_missing({service_of(each.name) for each in seen}, without))
    return sorted(set(seen), key=lambda each: (each.name, each.detail))


async def _by_gateway(session: Session, known: Collection[str]) -> list[Seen]:
    """What the gateway says of further services that it has links to: it tells administrators of the platform only."""
    key = session.key()
    if not key:
        return []
    stub = gateway_pb2_grpc.GatewayServiceStub(session.channel_to(session.address(), "gateway"))
    credential = (("authorization", f"Bearer {key.reveal()}"),)
    try:
        answer = await stub.CheckServices(gateway_pb2.CheckServicesRequest(), metadata=credential, timeout=_TIMEOUT)
    except grpc.aio.AioRpcError:
        return []  # they are then told as not asked
    return [
        Seen(each.service, _STATES.get(each.state, ServiceHealth.NOT_SERVING), _SEEN_BY_GATEWAY)
        for each in answer.services
        if each.service not in known
    ]


def service_of(name: str) -> str:
    """The service that a name of health belongs to: `llm_mesh.policy.v1.LedgerService` is of `policy`."""
    return name.split(".")[1] if name.startswith("llm_mesh.") else name


async def _ask(session: Session, service: str, address: str) -> ListenerAnswer:
    stub = health_pb2_grpc.HealthStub(session.channel_to(address, service))
    begun = time.time()
    try:
        call = stub.List(health_pb2.HealthListRequest(), timeout=_TIMEOUT)
        answer = await call
        trailing = dict(await call.trailing_metadata() or ())
    except grpc.aio.AioRpcError as error:
        return ListenerAnswer(service, address, {}, f"{error.code().name}: {(error.details() or 'it says no more').splitlines()[0][:200]}")
    ended = time.time()
    sent = trailing.get(TIME)
    ahead = None if sent is None else float(sent) - (begun + ended) / 2
    states = {
        name: ServiceHealth.SERVING if each.status == _SERVING else ServiceHealth.NOT_SERVING
        for name, each in answer.statuses.items()
        if name
    }
    return ListenerAnswer(service, address, states, ahead=ahead)


def _place(answer: ListenerAnswer, answered: Iterable[ListenerAnswer]) -> str:
    """The address, where several instances answer."""
    return answer.address if sum(other.service == answer.service for other in answered) > 1 else ""


async def _edge(session: Session) -> list[Seen]:
    """The edge has no contract: it is asked over HTTP, as load balancers ask it."""
    edge_address = session.settings.addresses.get(_EDGE, "")
    elsewhere = session.access.address or session.settings.address
    address = edge_address or ("" if elsewhere else session.files.addresses().get("http", ""))
    if not address:
        return []
    return [await asyncio.to_thread(_ready, address, session.settings.authority)]


def _ready(address: str, authority: str) -> Seen:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT)
    try:
        if parts.scheme == "https":
            trusted = ssl.create_default_context(cafile=authority or None)
            connection = http.client.HTTPSConnection(parts.netloc, timeout=_TIMEOUT, context=trusted)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Seen(_EDGE, ServiceHealth.SILENT, f"{address}: {str(error) or type(error).__name__}")
    finally:
        connection.close()
    return (
        Seen(_EDGE, ServiceHealth.SERVING)
        if status == http.HTTPStatus.OK
        else Seen(_EDGE, ServiceHealth.NOT_SERVING, f"{address}/readyz: {status}")
    )


def _missing(known: Collection[str], without: Collection[str]) -> Iterable[Seen]:
    expected = [*USUAL, *(() if any(name.startswith(_ADAPTERS) for name in known) else ("adapter",))]
    for name in expected:
        if name not in known and name not in without:
            variable = "LLM_MESH_ADDRESS_ADAPTER_…" if name == "adapter" else f"LLM_MESH_ADDRESS_{name.upper()}"
            yield Seen(name, ServiceHealth.NOT_ASKED, f"nobody says where it is: set {variable}, or give --without {name}")
