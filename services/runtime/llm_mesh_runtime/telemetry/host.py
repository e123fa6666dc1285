"""The telemetry of one process: opened and closed by its host, handed to whoever measures.

Nothing leaves the process, and no exporter is imported, unless `otlp_endpoint` (OTEL_EXPORTER_OTLP_ENDPOINT) is set.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.telemetry.rpc import RpcObserver

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings
    from llm_mesh_runtime.telemetry.otlp import Exports
    from llm_mesh_runtime.telemetry.tracer import Tracing


class Telemetry:
    """Metrics always; traces, and the sending of both, where they are wanted."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None = None, exports: Exports | None = None) -> None:
        self.metrics = metrics
        self.tracing = tracing
        self._exports = exports

    @classmethod
    def open(cls, mesh: MeshSettings, *, service: str, version: str = "", process: bool = True) -> Telemetry:
        """By the settings; `service` names the process in traces: a service's name, or `llm-mesh` for all of them."""
        metrics = Metrics(process=process)
        if not mesh.otlp_endpoint:
            return cls(metrics)
        from llm_mesh_runtime.telemetry.otlp import Exports  # noqa: PLC0415 (the SDK is only loaded where it is used)

        exports = Exports(mesh, metrics, service=service, version=version)
        return cls(metrics, exports.tracing, exports)

    def observer(self, service: str) -> RpcObserver:
        """What the pipeline of a service tells about its calls."""
        return RpcObserver(service, self.metrics, self.tracing)

    async def close(self) -> None:
        """Sends what is left, off the event loop; a collector that does not answer delays it by a few seconds at most."""
        if self._exports is not None:
            await asyncio.to_thread(self._exports.close)
