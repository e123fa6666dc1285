"""What a service tells its host: its name, its contracts, and how it is built."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links
    from llm_mesh_runtime.pipeline.methods import Registration


@dataclass(frozen=True, slots=True)
class HttpApp:
    """An ASGI application that the host serves."""

    app: Any
    address: str = ""
    """`host:port`; empty: the mesh's HTTP listener."""
    prefix: str = ""
    """Where it is mounted when it shares its address with others, such as `/console`."""


async def _nothing() -> None:
    return


class Servicers:
    """What `build` returns: pairs of a generated `add_…_to_server` and its servicer, and the service's life.

    `ready` raises while the service's own store does not answer. `start` runs before any call arrives, `close` after the
    last one.
    """

    def __init__(
        self,
        *registrations: Registration,
        ready: Callable[[], Awaitable[None]] = _nothing,
        start: Callable[[], Awaitable[None]] = _nothing,
        close: Callable[[], Awaitable[None]] = _nothing,
        http: HttpApp | Sequence[HttpApp] = (),
    ) -> None:
        self.registrations = registrations
        self.ready = ready
        self.start = start
        self.close = close
        self.http: tuple[HttpApp, ...] = (http,) if isinstance(http, HttpApp) else tuple(http)


@dataclass(frozen=True, slots=True)
class Service:
    """One service, as its `wiring` declares it. `name` is its link's name: `policy`, `adapter/openai`."""

    name: str
    contracts: tuple[str, ...]
    settings: type
    build: Callable[[Any, Links], Servicers]
    port: int = 0
    """Its own gRPC port when it runs alone."""


def main(service: Service) -> None:
    """Serve one service until it is told to stop: the body of its `__main__`."""
    from llm_mesh_runtime.host import run  # noqa: PLC0415 - the host is only loaded to host

    raise SystemExit(run((service,), mode="separate"))
