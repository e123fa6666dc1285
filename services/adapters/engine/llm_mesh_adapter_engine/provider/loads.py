"""Asks engines how busy they are, as long as the adapter runs, and tells the router. Nothing waits for it, and nothing fails by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from llm_mesh.router.v1 import router_pb2
from llm_mesh_adapter_engine.provider.failures import of_status
from llm_mesh_adapter_engine.provider.models import EngineModels
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.statuses import only_message

AskEngine = Callable[[Endpoint, Call, Limits], Awaitable[bytes]]
Report = Callable[[router_pb2.ReportLoadsRequest], Awaitable[None]]
LONGEST_PAUSE: Final = 60.0
_QUICK: Final = Limits(connect=2, first_token=2, idle=2, total=2)
_ABSENT: Final = "UNSUPPORTED"


class LoadWatch:
    """Watches the load of one endpoint."""

    def __init__(self, endpoint: Endpoint, models: EngineModels, ask: AskEngine, report: Report, interval: float) -> None:
        self._endpoint = endpoint
        self._models = models
        self._ask = ask
        self._report = report
        self._interval = interval
        self.pause = interval
        """Seconds until the next question: each failure doubles them."""

    async def run(self) -> None:
        """Until cancelled, or until the engine says that it has no such method."""
        while await self.step():  # noqa: ASYNC110 - an engine has no event that could be waited for
            await asyncio.sleep(self.pause)

    async def step(self) -> bool:
        """Asks once. Whether to ask again."""
        wire = self._models.wire(self._endpoint)
        try:
            body = await self._ask(self._endpoint, Call(f"/{wire.service}/GetLoads", framed(b"")), _QUICK)
            load = wire.load(only_message(self._endpoint.name, body, of_status))
        except AdapterError as error:
            return self._failed(error)
        except ValueError as error:
            return self._failed(malformed(self._endpoint.name, str(error)))
        self.pause = self._interval
        shown = router_pb2.EndpointLoad(adapter="engine", endpoint=self._endpoint.name, **load._asdict())
        await self._report(router_pb2.ReportLoadsRequest(loads=[shown]))
        return True

    def _failed(self, error: AdapterError) -> bool:
        if error.reason_name == _ABSENT:
            return False
        self._models.forget(self._endpoint)
        self.pause = min(2 * self.pause, LONGEST_PAUSE)
        return True
