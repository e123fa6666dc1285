"""The names of OpenTelemetry's semantic conventions that the mesh uses, in one place: RPC, errors and servers.

Source: the registry of https://opentelemetry.io/docs/specs/semconv/ as in `opentelemetry-semantic-conventions` 0.66b2.
"""

from __future__ import annotations

from typing import Final

ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE: Final = "service.instance.id"

RPC_SYSTEM: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
RPC_STATUS: Final = "rpc.response.status_code"
RPC_SERVER_DURATION: Final = "rpc.server.call.duration"
