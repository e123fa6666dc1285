"""What a service tells its host: its name, its contracts, and how it is built."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from llm_mesh.services import OPTIONAL, SERVICES

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links
    from llm_mesh_runtime.pipeline.methods import Registration


class Refusal(NamedTuple):
    """The whole answer to a request that is not let in."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


class HeadFault(Enum):
    """Why the listener answers a request by itself."""

    TOO_LARGE = "head_too_large"
    """The head, one line of it or what stands between the parts of a body is too large, or has too many lines."""
    CROWDED = "too_many_connections"
    """There are too many connections, or too much is held, without a credential; or too many of one caller."""


class HeadFilter(Protocol):
    """Is asked about each request once its head is read: whoever is refused costs no more than that."""

    def enter(self, scope: Mapping[str, Any]) -> Refusal | None:
        """None: the request is let in. Where its caller is known already, the extension AUTHENTICATED of the scope is told."""

    def fault(self, fault: HeadFault, scope: Mapping[str, Any]) -> Refusal:
        """The answer to a request that the listener refuses. `path` and `headers` of the scope are what has arrived of them."""

    def leave(self, scope: Mapping[str, Any]) -> None:
        """A request that was let in has been answered, or its client has gone."""


@dataclass(frozen=True, slots=True)
class HttpApp:
    """An ASGI application that the host serves."""

    app: Any
    address: str = ""
    """`host:port`; empty: the mesh's HTTP listener."""
    setting: str = ""
    """Which setting names the address, where it has one of its own."""
    prefix: str = ""
    """Where it is mounted when it shares its address with others, such as `/console`."""
    door: HeadFilter | None = None
    """Who decides about its requests; one application of an address may have one, and is then mounted at its root."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A peer whose public methods a service answers at its own public listener, by asking the peer."""

    peer: str
    """The name of its link; one that ends with `/`, such as `adapter/`, means the one of several that the caller names."""
    register: tuple[Callable[[Any, Any], None], ...]
    """The generated `add_…_to_server` of its contracts."""


async def _nothing() -> None:
    return


def _no_relays() -> Sequence[Relay]:
    return ()


class Servicers:
    """What `build` returns: pairs of a generated `add_…_to_server` and its servicer, and the service's life.

    `ready` raises while the service's own store does not answer. `start` runs before any call arrives, `close` after the
    last one. `relays` is called where the service runs apart and has a public listener.
    """

    def __init__(
        self,
        *registrations: Registration,
        ready: Callable[[], Awaitable[None]] = _nothing,
        start: Callable[[], Awaitable[None]] = _nothing,
        close: Callable[[], Awaitable[None]] = _nothing,
        http: HttpApp | Sequence[HttpApp] = (),
        relays: Callable[[], Sequence[Relay]] = _no_relays,
    ) -> None:
        self.registrations = registrations
        self.relays = relays
        self.ready = ready
        self.start = start
        self.close = close
        self.http: tuple[HttpApp, ...] = (http,) if isinstance(http, HttpApp) else tuple(http)


@dataclass(frozen=True, slots=True)
class Service:
    """One service, as its host needs it. `name` is its link's name: `policy`, `adapter/openai`."""

    name: str
    contracts: tuple[str, ...]
    settings: type
    build: Callable[[Any, Links], Servicers]
    port: int = 0
    """Its own gRPC port when it runs alone."""
    http_prefix: str = ""
    """Where its HTTP application is mounted at the mesh's listener, such as `/console`."""

    @classmethod
    def declared(cls, name: str, *, settings: type, build: Callable[[Any, Links], Servicers]) -> Service:
        """The service that `service.toml` declares under that name."""
        facts = next((each for each in (*SERVICES, *OPTIONAL) if each.name == name), None)
        if facts is None:
            raise ValueError(f"{name} is not declared: write services/…/service.toml, and run `make services`")
        return cls(name, facts.contracts, settings, build, facts.port if facts.contracts else 0, facts.http_prefix)
