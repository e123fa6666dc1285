"""Refuses requests while the process is overloaded: before a body is read or a task begins, which is where it is cheapest."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import orjson

from llm_mesh_edge.domain.failures import failure_of
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.exchange import JSON, Scope, identified
from llm_mesh_runtime.pressure import RETRY_AFTER, Pressure, overloaded
from llm_mesh_runtime.service import Refusal

if TYPE_CHECKING:
    from llm_mesh_edge.http.app import Observed, Shape

_METHOD = "POST"


class Door:
    """The listener asks it about each request. Only those that cost something are ever refused."""

    def __init__(self, pressure: Pressure, shapes: Mapping[str, Shape], observe: Observed) -> None:
        self._pressure = pressure
        self._shapes = shapes
        """The paths with work behind them, and how each tells a failure."""
        self._observe = observe
        self._failure = failure_of(overloaded())
        self._told = cycle([((b"content-type", JSON), *failure_of(overloaded(after)).headers()) for after in RETRY_AFTER])

    def enter(self, scope: Scope) -> Refusal | None:
        """None: the request is let in, and `leave` follows."""
        if not self._works(scope) or self._pressure.enter():
            return None
        failure, headers = self._failure, Headers(scope["headers"])
        body = orjson.dumps(self._shapes[scope["path"]](failure, headers))
        self._observe(scope["path"], _METHOD, failure.status, 0.0)
        return Refusal(failure.status, ((b"content-length", b"%d" % len(body)), *identified(headers), *next(self._told)), body)

    def leave(self, scope: Scope) -> None:
        """A request that was let in has been answered, or its client has gone."""
        if self._works(scope):
            self._pressure.leave()

    def _works(self, scope: Scope) -> bool:
        return scope["path"] in self._shapes and scope["method"] == _METHOD
