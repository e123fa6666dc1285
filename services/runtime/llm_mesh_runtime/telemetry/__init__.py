"""Traces and metrics, by OpenTelemetry's conventions, without content.

`span` and `outbound` are what services use; the host opens one `Telemetry` and hands its parts out::

    with span("policy.screen", {"llm_mesh.findings": 2}):
        ...
    headers = dict(outbound())          # continues the trace at a provider
"""

from llm_mesh_runtime.telemetry.host import Telemetry
from llm_mesh_runtime.telemetry.rpc import RpcObserver
from llm_mesh_runtime.telemetry.trace import Span, outbound, span, trace_id

__all__ = ["RpcObserver", "Span", "Telemetry", "outbound", "span", "trace_id"]
