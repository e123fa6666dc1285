"""What operators and load balancers ask: is it alive, can it take work, how is it doing."""

from __future__ import annotations

import asyncio

from llm_mesh_edge.domain.exposition import joined
from llm_mesh_edge.domain.ports import Keys, Processes
from llm_mesh_edge.domain.readiness import MeshReadiness
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_runtime.health import Health
from llm_mesh_runtime.telemetry.metrics import CONTENT_TYPE, Metrics

_MAIN = "main"
_PLATFORM = "domains/platform"
_PERMISSION = "metrics.get"


class Operations:
    """Answers for the whole process, and for the whole mesh where it has several behind one port; `process` is this one's name then."""

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        process: str,
        processes: Processes,
        keys: Keys,
        *,
        mesh: MeshReadiness | None = None,
        discreet: bool = False,
    ) -> None:
        self._health = health
        self._mesh = mesh
        """Who knows of the other services, where this process does not host or start them."""
        self._metrics = metrics
        self._process = process
        self._processes = processes
        self._keys = keys
        self._discreet = discreet
        """Whether strangers who ask are not told which services there are."""

    async def alive(self, exchange: HttpExchange) -> None:
        """The process runs and its loop turns."""
        await exchange.answer_json({"status": "ok"})

    async def ready(self, exchange: HttpExchange) -> None:
        """Every service of the process can take work, those that it needs elsewhere answer, and keys and models are there; else 503."""
        states = self._health.readiness()
        if self._mesh is not None:
            states = states | dict(await self._mesh.conditions())
        if self._process:
            metrics = await self._processes.report(_MAIN)
            theirs = {f"process/{_MAIN}": False} if metrics is None else dict(metrics.services)
            states = {name: states.get(name, True) and theirs.get(name, True) for name in sorted({*states, *theirs})}
        serving = self._health.serving() and all(states.values())
        answer: dict[str, object] = {"status": "ok" if serving else "unavailable"}
        if not self._discreet:
            answer["services"] = states
        await exchange.answer_json(answer, status=200 if serving else 503)

    async def metrics(self, exchange: HttpExchange) -> None:
        """Prometheus' text format."""
        text = self._metrics.render()
        if self._process:
            others = await self._processes.metrics()
            by_process = dict(sorted({self._process: text.decode(), **others}.items()))
            text = (await asyncio.to_thread(joined, by_process)).encode()
        await exchange.answer(200, text, media_type=CONTENT_TYPE.encode())

    async def permitted_metrics(self, exchange: HttpExchange) -> None:
        """The same for a caller who may read them."""
        await self._keys.authorise(exchange.headers.credential(), exchange.address, "GET /metrics", _PLATFORM, _PERMISSION)
        await self.metrics(exchange)
