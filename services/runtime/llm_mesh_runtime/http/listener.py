"""The HTTP listeners of a process, with raw ASGI applications."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.binding import Owner, bind
from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.service import HeadFilter, HttpApp
from llm_mesh_runtime.start_error import StartError

if TYPE_CHECKING:
    from llm_mesh_runtime.http.acceptor import Acceptor
    from llm_mesh_runtime.http.state import ListenerState
    from llm_mesh_runtime.http.tls import HttpTls

HTTP_SETTING = "LLM_MESH_HTTP (`up --http`)"
EDGE = Owner("the edge's HTTP", HTTP_SETTING)


def bound(address: str, *, owner: Owner = EDGE, shared: bool = False) -> socket.socket:
    """A socket that listens on `host:port`, bound before anything starts, so that a taken port stops the start.

    A shared one lets others of the same user listen there: the kernel deals new connections out among them.
    """
    sock = bind(address, owner, shared=shared)
    sock.listen(2048)
    sock.setblocking(False)
    return sock


def reserved(address: str) -> tuple[socket.socket, str]:
    """Keeps an address for the processes that will share it, and answers with its port: nobody else can take it meanwhile.

    It is bound as by one who wants it alone, so that a taken port is found out, and only then opened to others.
    """
    sock = bind(address, EDGE)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return sock, _named(sock)


def _named(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def mounted(apps: Iterable[HttpApp]) -> Any:  # noqa: ANN401 - an ASGI application
    """One application of several that share an address: the longest prefix wins."""
    ordered = sorted(apps, key=lambda each: len(each.prefix), reverse=True)
    if len(ordered) == 1 and not ordered[0].prefix:
        return ordered[0].app
    return _Mounted(ordered)


def door_of(apps: Iterable[HttpApp]) -> HeadFilter | None:
    """Who decides about the requests of an address."""
    doors = [(each.door, each.prefix) for each in apps if each.door is not None]
    if len(doors) > 1 or any(prefix for _, prefix in doors):
        raise StartError("only the application at the root of an HTTP address can have a door")
    return doors[0][0] if doors else None


class _Mounted:
    def __init__(self, apps: list[HttpApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        path = scope.get("path", "")
        for each in self._apps:
            if not each.prefix or path == each.prefix or path.startswith(each.prefix + "/"):
                inner = {**scope, "root_path": scope.get("root_path", "") + each.prefix} if each.prefix else scope
                await each.app(inner, receive, send)
                return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"not found\n"})


class HttpListener:
    """One server on one address. `tls`: it speaks HTTPS."""

    def __init__(
        self,
        address: str,
        app: Any,  # noqa: ANN401 - an ASGI application
        *,
        door: HeadFilter | None = None,
        owner: Owner = EDGE,
        shared: bool = False,
        bounds: HttpBounds | None = None,
        tls: HttpTls | None = None,
    ) -> None:
        self._tls = None if tls is None else tls.context()
        self._socket = bound(address, owner=owner, shared=shared)
        self.address = _named(self._socket)
        self._app = app
        self._door = door
        self._bounds = bounds or HttpBounds()
        self._acceptor: Acceptor | None = None
        self._state: ListenerState | None = None

    async def start(self) -> None:
        """Accept requests."""
        from llm_mesh_runtime.http.acceptor import Acceptor  # noqa: PLC0415 - only services with HTTP need it
        from llm_mesh_runtime.http.protocol import Protocol  # noqa: PLC0415 - likewise
        from llm_mesh_runtime.http.state import ListenerState  # noqa: PLC0415 - likewise

        self._state = ListenerState(self._app, self._door, self._bounds)
        self._state.start()
        self._acceptor = Acceptor(self._socket, partial(Protocol, self._state), self._tls, self._bounds.strangers)

    async def stop(self, grace: float) -> None:
        """Accept no more requests; those that run may finish within the grace."""
        if self._acceptor is not None and self._state is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._socket.close()
            await self._state.stop(max(1.0, grace))
        self._socket.close()
