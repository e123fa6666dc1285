"""What failures of engines mean."""

from __future__ import annotations

import re
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.rpc.framing import RpcStatus
from llm_mesh_adapter_kit.rpc.statuses import failure_of

_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (
            r"context length|longer than the (maximum|model)|exceed\w* the (maximum|model|context)|input is too long",
            errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
        ),
        (r"model .{0,200}(not found|does not exist)", errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
    )
)
_LONGEST: Final = 2_000


def of_status(endpoint: str, status: RpcStatus) -> AdapterError:
    """The failure of a call."""
    words = status.message[:_LONGEST]
    return failure_of(endpoint, status, worded=next((reason for pattern, reason in _WORDS if pattern.search(words)), 0))


def of_end(endpoint: str, finish: str) -> AdapterError:
    """The failure that the end of an answer tells of: the engine gave the request up, or failed at it."""
    return answered(
        errors_pb2.ERROR_REASON_PROVIDER_ERROR, endpoint, status=0, said=Said(f"the engine ended the request ({finish})", finish)
    )


def other_model(endpoint: str, model: str, served: str) -> AdapterError:
    """The engine has another model."""
    words = Said(f"the engine serves {served or 'no model'}, not {model}")
    error = answered(errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND, endpoint, status=0, said=words)
    error.metadata["sent"] = "false"
    return error
