"""What operators and load balancers ask: is it alive, can it take work, how is it doing."""

from __future__ import annotations

from llm_mesh_edge.http.exchange import Exchange
from llm_mesh_runtime.health import Health
from llm_mesh_runtime.metrics import CONTENT_TYPE, Metrics


class Operations:
    """Answers for the whole process."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics

    async def alive(self, exchange: Exchange) -> None:
        """The process runs and its loop turns."""
        await exchange.answer_json({"status": "ok"})

    async def ready(self, exchange: Exchange) -> None:
        """Every service of the process can take work; 503 where one cannot, or where the process drains."""
        states = self._health.states()
        serving = self._health.serving()
        told = {"status": "ok" if serving else "unavailable", "services": states}
        await exchange.answer_json(told, status=200 if serving else 503)

    async def metrics(self, exchange: Exchange) -> None:
        """Prometheus' text format."""
        await exchange.answer(200, self._metrics.render(), media_type=CONTENT_TYPE.encode())
