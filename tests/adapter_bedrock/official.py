"""What the official client sends for the same call: it checks each field by its description of the service, and writes it anew."""

from __future__ import annotations

import functools
import json
from base64 import b64decode
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "AKIDEXAMPLEKEY", "aws_secret_access_key": "secret/with+signs=="}


@functools.cache
def client() -> Any:
    """One client for all tests: it reads 2 MB of descriptions."""
    return boto3.client("bedrock-runtime", REGION, **KEYS)


class _Nothing:
    def stream(self) -> list[bytes]:
        return [b"{}"]

    def read(self) -> bytes:
        return b"{}"


def sent(operation: str, **arguments: Any) -> tuple[str, Any]:
    """Path and body of a call. Raises where the client does not know a field, or a value is none that it takes."""
    requests: list[AWSPreparedRequest] = []

    def instead(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        requests.append(request)
        return AWSResponse(request.url, 200, {"content-type": "application/json"}, _Nothing())

    events = client().meta.events
    events.register("before-send", instead, "recorder")
    try:
        getattr(client(), operation)(**arguments)
    finally:
        events.unregister("before-send", instead, "recorder")
    (request,) = requests
    return request.url.partition(".amazonaws.com")[2], json.loads(request.body)


def arguments(body: Any, key: str = "") -> Any:
    """A body as the client's arguments: what is base64 on the wire are bytes there."""
    if isinstance(body, dict):
        return {name: arguments(value, name) for name, value in body.items()}
    if isinstance(body, list):
        return [arguments(each) for each in body]
    return b64decode(body) if key in {"bytes", "redactedContent"} else body
