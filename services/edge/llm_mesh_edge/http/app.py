"""The ASGI application: finds the handler, and answers every failure in the shape of the dialect that was asked.

Whatever happens the client gets JSON and a request id: unknown paths, wrong methods and defects too.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from llm_mesh_dialects.errors import DialectError
from llm_mesh_edge.domain.failures import Failure, failure_of
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.ports import Keys
from llm_mesh_edge.http.door import CROWDED, Door
from llm_mesh_edge.http.exchange import GoneError, HttpExchange, ProblemError, Receive, Scope, Send
from llm_mesh_runtime.errors import MeshError, internal
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.pressure import Pressure
from llm_mesh_runtime.telemetry.metrics import Metrics

Handler = Callable[[HttpExchange], Awaitable[None]]
Shape = Callable[[Failure, Headers], object]


@dataclass(frozen=True, slots=True)
class Route:
    """One path, or with a `*` all paths that begin and end so, with something in its place."""

    path: str
    methods: Mapping[str, Handler]
    shape: Shape
    works: bool = False
    """Whether its requests are work that is refused while there is too much."""
    protected: bool = False
    """Whether a valid credential is needed, which is checked before anything of the request but its head is looked at."""

    @property
    def allow(self) -> str:
        """Its methods, those that every path has included."""
        known = set(self.methods) | {"OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        return ", ".join(sorted(known))


class Observed(Protocol):
    """Counts answers."""

    def __call__(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""


class HttpRoutes:
    """All paths, and the shape of failures where there is none."""

    def __init__(self, routes: list[Route], fallback: Shape) -> None:
        self.fallback = fallback
        self._exact = {route.path: route for route in routes if "*" not in route.path}
        open_ones = sorted((route for route in routes if "*" in route.path), key=lambda route: len(route.path), reverse=True)
        self._open = [(*route.path.partition("*")[::2], route) for route in open_ones]

    def of(self, path: str) -> Route | None:
        """The route of a path."""
        return self._exact.get(path) or self._by_its_ends(path)

    def _by_its_ends(self, path: str) -> Route | None:
        """The route that says most of the path."""
        for begin, end, route in self._open:
            if path.startswith(begin) and path.endswith(end) and len(path) > len(begin) + len(end):
                return route
        return None


class Edge:
    """Raw ASGI: a framework's router costs more than all of this."""

    def __init__(self, routes: list[Route], fallback: Shape, metrics: Metrics, pressure: Pressure, keys: Keys) -> None:
        self._routes = HttpRoutes(routes, fallback)
        self._keys = keys
        self._observe = _observer(metrics)
        self.door = Door(pressure, self._routes, keys, self._observe)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the handler of its path."""
        if scope["type"] != "http":
            return
        began = time.monotonic()
        exchange = HttpExchange(scope, receive, send)
        route = self._routes.of(exchange.path)
        try:
            await self._answer(exchange, route)
        finally:
            self._observe(route.path if route else "other", exchange.method, exchange.status, time.monotonic() - began)

    async def _answer(self, exchange: HttpExchange, route: Route | None) -> None:
        try:
            handler = self._handler(exchange, route)
            if route is not None and route.protected and not exchange.known and exchange.method != "OPTIONS":
                await self._authenticate(exchange)
            return await handler(exchange)
        except GoneError:
            return None
        except ProblemError as problem:
            failure = problem.failure
        except DialectError as wrong:
            failure = Failure(400, "invalid_field", str(wrong), wrong.field)
        except MeshError as error:
            failure = exchange.failure(error)
        except Exception as defect:  # noqa: BLE001 - the last place where a defect can become an answer
            get_logger().error("request failed", path=exchange.path, request_id=exchange.headers.request_id, exc_info=defect)
            failure = failure_of(internal())
        if exchange.started:
            raise ConnectionAbortedError("the answer broke off")  # the server closes the connection: the client sees it is not whole
        shape = route.shape if route else self._routes.fallback
        return await exchange.answer_json(shape(failure, exchange.headers), failure.headers(), status=failure.status)

    async def _authenticate(self, exchange: HttpExchange) -> None:
        """Have policy asked about a credential that is not known, before the body is read."""
        headers = exchange.headers
        caller = await self._keys.ask(headers.credential(), headers.project, exchange.address, f"{exchange.method} {exchange.path[:256]}")
        if not exchange.authenticated(caller):
            raise ProblemError(CROWDED)

    def _handler(self, exchange: HttpExchange, route: Route | None) -> Handler:
        if route is None:
            raise ProblemError(Failure(404, "not_found", f"there is no {_shown(exchange.path)} here"))
        handler = route.methods.get(exchange.method)
        if handler is None and exchange.method == "HEAD":
            handler = route.methods.get("GET")
        if handler is not None:
            return handler
        if exchange.method == "OPTIONS":
            return lambda exchange: exchange.answer(204, b"", [(b"allow", route.allow.encode())])
        message = f"{_shown(exchange.path)} has the methods {route.allow}"
        raise ProblemError(Failure(405, "method_not_allowed", message, allow=route.allow))


def _shown(path: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in path[:128])


def _observer(metrics: Metrics) -> Observed:
    durations = metrics.histogram(
        "http.server.request.duration",
        "Duration of HTTP requests, streams to their end.",
        ("http.route", "http.request.method", "http.response.status_code"),
    )
    known = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})

    def observe(route: str, method: str, status: int, seconds: float) -> None:
        durations.labels(route, method if method in known else "_OTHER", str(status or 499)).observe(seconds)

    return observe
