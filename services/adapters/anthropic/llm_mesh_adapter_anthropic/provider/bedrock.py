"""Claude at Amazon Bedrock: the same bodies, with the model in the path, signed, and streamed in frames that hold the dialect's events."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.aws import AwsSigner
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.event_stream import FAILURE
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.model_paths import in_path
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.loose import loose_parsed

VERSION: Final = "bedrock-2023-05-31"
CHECK: Final = "/async-invoke?maxResults=1"
_CHUNK: Final = "chunk"
_NOT_IN_BODY: Final = frozenset({"model", "stream"})
_JSON: Final = MappingProxyType({"accept": "application/json"})
_TYPES: Final[Mapping[str, str]] = {
    "throttlingException": "rate_limit_error",
    "validationException": "invalid_request_error",
    "serviceUnavailableException": "overloaded_error",
    "modelTimeoutException": "timeout_error",
}


def invokes(endpoint: Endpoint) -> bool:
    """Whether an endpoint is Bedrock's: its requests are signed as AWS wants it."""
    return isinstance(endpoint.own_signer, AwsSigner)


def invoked(model: str, body: Mapping[str, Any], translations: Sequence[generate_pb2.Translation]) -> Call:
    """The request for a message."""
    operation = "invoke-with-response-stream" if body.get("stream") else "invoke"
    return Call(_path(model, operation), dumped(_bare(body)), headers=_JSON, translations=translations)


def counting(model: str, body: Mapping[str, Any]) -> Call:
    """The request for a count, which holds the body of the request that it is about."""
    inner = b64encode(dumped({"max_tokens": 1, **_bare(body)})).decode("ascii")
    return Call(_path(model, "count-tokens"), dumped({"input": {"invokeModel": {"body": inner}}}))


def unpacked(frame: Frame) -> Frame:
    """The event of the dialect that a frame holds; an `error` event for a failure. Raises `DialectError` where it holds none."""
    data, name = frame
    if name.startswith(FAILURE):
        return json.dumps(_error(data, name.removeprefix(FAILURE))).encode(), "error"
    if name != _CHUNK:
        return frame
    value = loose_parsed(data)
    inner = value.get("bytes") if isinstance(value, dict) else None
    try:
        return b64decode(inner if isinstance(inner, str) else "", validate=True), ""
    except (Base64Error, ValueError):
        raise DialectError("bytes", "expected base64") from None


def _error(data: bytes, kind: str) -> dict[str, Any]:
    try:
        value = loose_parsed(data)
    except DialectError:
        value = {}
    message = value.get("message") if isinstance(value, dict) else None
    return {"type": "error", "error": {"type": _TYPES.get(kind, "api_error"), "message": message if isinstance(message, str) else kind}}


def _bare(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"anthropic_version": VERSION, **{key: value for key, value in body.items() if key not in _NOT_IN_BODY}}


def _path(model: str, operation: str) -> str:
    return f"/model/{in_path(model)}/{operation}"
