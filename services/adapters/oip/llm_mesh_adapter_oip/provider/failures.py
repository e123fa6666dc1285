"""What failures of servers mean."""

from __future__ import annotations

import re
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.rpc.framing import RpcStatus
from llm_mesh_adapter_kit.rpc.statuses import failure_of

_NO_MODEL: Final = re.compile(r"unknown model|model .{0,200}(not found|does not exist)", re.IGNORECASE)
_LONGEST: Final = 2_000


def of_status(endpoint: str, status: RpcStatus) -> AdapterError:
    """The failure of a call."""
    unknown = _NO_MODEL.search(status.message[:_LONGEST])
    return failure_of(endpoint, status, worded=errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND if unknown else 0)
