"""The HTTP listeners of a process: uvicorn on our loop, with raw ASGI applications."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from llm_mesh_runtime.binding import Owner, bind
from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.service import HeadFilter, HttpApp
from llm_mesh_runtime.start_error import StartError

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
    """One uvicorn server on one address."""

    def __init__(
        self,
        address: str,
        app: Any,  # noqa: ANN401 - an ASGI application
        *,
        door: HeadFilter | None = None,
        owner: Owner = EDGE,
        shared: bool = False,
        bounds: HttpBounds | None = None,
    ) -> None:
        self._socket = bound(address, owner=owner, shared=shared)
        self.address = _named(self._socket)
        self._app = app
        self._door = door
        self._bounds = bounds or HttpBounds()
        self._server: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept requests."""
        import uvicorn  # noqa: PLC0415 - only services with HTTP need it

        from llm_mesh_runtime.http.acceptor import Acceptor  # noqa: PLC0415 - likewise
        from llm_mesh_runtime.http.cycle import Names  # noqa: PLC0415 - likewise
        from llm_mesh_runtime.http.protocol import Protocol  # noqa: PLC0415 - likewise

        door, names, bounds = self._door, Names(), self._bounds

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                def made() -> asyncio.Protocol:
                    return Protocol(config, self.server_state, door, names, bounds)

                self.servers = [Acceptor(each, made) for each in sockets or ()]  # type: ignore[misc]  # what it asks of them they have
                self.started = True

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield  # the host handles signals, for all listeners together

        config = uvicorn.Config(
            self._app,
            http=Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        self._server = Server(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._socket]), name=f"http {self.address}")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise StartError(f"the HTTP listener on {self.address} ended at once")
            await asyncio.sleep(0.002)

    async def stop(self, grace: float) -> None:
        """Accept no more requests; those that run may finish within the grace."""
        if self._task is None:
            self._socket.close()
            return
        self._server.config.timeout_graceful_shutdown = max(1, int(grace))
        self._server.should_exit = True
        await asyncio.wait([self._task])
