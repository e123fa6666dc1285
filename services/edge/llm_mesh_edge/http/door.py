"""Decides about requests by their heads, before a body is read or a task begins, which is where a refusal is cheapest.

Refused are strangers without a credential, callers with too many connections, and work while the process is overloaded. A credential
that is not known yet lets the request in, to have policy asked before its body is read.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import orjson

from llm_mesh_edge.domain.failures import Failure, failure_of
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.exchange import AUTHENTICATED, HEADERS, JSON, KNOWN, PARTY, Scope, identified
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.pressure import RETRY_AFTER, Pressure, overloaded
from llm_mesh_runtime.service import HeadFault, Refusal
from llm_mesh_runtime.shares import Party

if TYPE_CHECKING:
    from llm_mesh_edge.domain.ports import Keys
    from llm_mesh_edge.http.app import HttpRoutes, Observed, Route, Shape
    from llm_mesh_runtime.context import Caller

CROWDED = Failure(429, "too_many_connections", "too many connections; try again later", retry_after=1.0, repeat=True, closes=True)
_TOO_LARGE = Failure(431, "head_too_large", "the head of the request, or a line of it, is too large or has too many lines", closes=True)
_FAULTS = {HeadFault.TOO_LARGE: _TOO_LARGE, HeadFault.CROWDED: CROWDED}


class Door:
    """The listener asks it about each request."""

    def __init__(self, pressure: Pressure, routes: HttpRoutes, keys: Keys, observe: Observed) -> None:
        self._pressure = pressure
        self._routes = routes
        self._keys = keys
        self._observe = observe
        self._failure = failure_of(overloaded())
        self._overload_heads = cycle([((b"content-type", JSON), *failure_of(overloaded(after)).headers()) for after in RETRY_AFTER])

    def enter(self, scope: Scope) -> Refusal | None:
        """None: the request is let in, and `leave` follows."""
        route = self._routes.of(scope["path"])
        if route is not None and scope["method"] in route.methods:
            caller = self._caller(scope, route) if route.protected else None
            if isinstance(caller, Refusal):
                return caller
            if route.works:
                return self._overloaded(scope, route, caller)
        return None

    def leave(self, scope: Scope) -> None:
        """A request that was let in has been answered, or its client has gone."""
        party = scope["state"].get(PARTY)
        if party is not None:
            self._pressure.leave(party)

    def fault(self, fault: HeadFault, scope: Scope) -> Refusal:
        """See `HeadFilter` of the runtime."""
        headers, path = Headers(scope["headers"]), scope["path"]
        route = self._routes.of(path)
        shape = self._routes.fallback if route is None else route.shape
        return self._refusal(scope["method"], "other" if route is None else route.path, shape, _FAULTS[fault], headers)

    def _overloaded(self, scope: Scope, route: Route, caller: Caller | None) -> Refusal | None:
        """The refusal of work that is too much, by how much of the process's work its caller has already."""
        headers: Headers = scope["state"].get(HEADERS) or Headers(scope["headers"])
        party = None if caller is None else caller.party
        if party is None:
            address = (scope.get("client") or ("",))[0]
            party = self._keys.party(headers.credential(), headers.project, address) if route.protected else Party(address)
        if self._pressure.enter(party):
            scope["state"][PARTY] = party
            return None
        return self._refusal(scope["method"], route.path, route.shape, self._failure, headers, next(self._overload_heads))

    def _caller(self, scope: Scope, route: Route) -> Caller | Refusal | None:
        """Who shows a known credential, who is known from now on; None where policy is to be asked. Who shows none is refused."""
        headers = scope["state"][HEADERS] = Headers(scope["headers"])
        try:
            caller = self._keys.known(headers.credential(), headers.project)
        except MeshError as error:
            return self._refusal(scope["method"], route.path, route.shape, failure_of(error), headers)
        if caller is None:
            return None
        scope["state"][KNOWN] = True
        if scope["extensions"][AUTHENTICATED](caller.party):
            return caller
        return self._refusal(scope["method"], route.path, route.shape, CROWDED, headers)

    def _refusal(
        self, method: str, path: str, shape: Shape, failure: Failure, headers: Headers, fields: tuple[tuple[bytes, bytes], ...] = ()
    ) -> Refusal:
        body = orjson.dumps(shape(failure, headers))
        self._observe(path, method, failure.status, 0.0)
        sent = fields or ((b"content-type", JSON), *failure.headers())
        return Refusal(failure.status, ((b"content-length", b"%d" % len(body)), *identified(headers), *sent), body)
