"""Requests are signed as AWS's own client signs them: the same time, the same bytes, the same signature."""

from __future__ import annotations

import functools
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore import auth
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from llm_mesh_adapter_kit import aws
from llm_mesh_adapter_kit.aws import AwsCredential, AwsSigner
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_runtime.secret import Secret

MOMENT = datetime(2026, 11, 30, 22, 0, 1, tzinfo=UTC)
REGION = "eu-central-1"
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
MODELS = (
    "anthropic.claude-3-haiku-20240307-v1:0",
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/abc123def456",
)


class Noon:
    def now(self) -> datetime:
        return MOMENT


def credential(token: str) -> AwsCredential:
    return AwsCredential(access_key_id=Secret(KEYS[0]), secret_access_key=Secret(KEYS[1]), session_token=Secret(token))


@functools.cache
def _client(token: str) -> Any:
    keys = {"aws_access_key_id": KEYS[0], "aws_secret_access_key": KEYS[1], "aws_session_token": token or None}
    return boto3.client("bedrock-runtime", REGION, **keys)


def recorded(token: str, call: str, **arguments: Any) -> AWSPreparedRequest:
    """What boto3 sends, up to the moment when it would."""
    client = _client(token)
    sent: list[AWSPreparedRequest] = []

    def instead(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {"content-type": "application/json"}, _Nothing())

    client.meta.events.register("before-send", instead, "recorder")
    getattr(client, call)(**arguments)
    client.meta.events.unregister("before-send", instead, "recorder")
    return sent[0]


class _Nothing:
    def stream(self) -> list[bytes]:
        return [b"{}"]

    def read(self) -> bytes:
        return b"{}"


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: MOMENT)
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)


@pytest.mark.parametrize(("model", "token"), [*((model, "IQoJb3JpZ2luX2VjE+/==") for model in MODELS), (MODELS[0], "")])
async def test_the_signature_is_the_official_clients(model: str, token: str) -> None:
    message = {"role": "user", "content": [{"text": "Grüße, 世界"}]}
    calls: dict[str, dict[str, Any]] = {
        "converse": {"messages": [message], "inferenceConfig": {"maxTokens": 5, "temperature": 0.5}},
        "count_tokens": {"input": {"converse": {"messages": [message]}}},
        "invoke_model": {"body": b'{"inputText":"a  b"}', "contentType": "application/json", "accept": "application/json"},
    }
    paths = {"converse": "converse", "count_tokens": "count-tokens", "invoke_model": "invoke"}
    for call, arguments in calls.items():
        official = recorded(token, call, modelId=model, **arguments)
        headers = {name.lower(): _text(value) for name, value in official.headers.items()}
        url = f"https://bedrock-runtime.{REGION}.amazonaws.com/model/{quote(model, safe='')}/{paths[call]}"
        assert official.url == url
        ours = {"content-type": "application/json", "traceparent": "00-1", "x-request-id": "r", "user-agent": "mesh"}
        if call == "invoke_model":
            ours["accept"] = "application/json"
        signed = await AwsSigner("bedrock", REGION, credential(token), {}, clock=Noon()).sign("", HttpRequest(url, ours, official.body))
        assert signed == {name: headers[name] for name in ("authorization", "x-amz-date", "x-amz-security-token") if name in headers}


async def test_a_list_is_signed_with_its_query() -> None:
    official = recorded("", "list_async_invokes", maxResults=1, statusEquals="Completed")
    signed = await AwsSigner("bedrock", REGION, credential(""), {}, clock=Noon()).sign("", HttpRequest(official.url, {}, b"", "GET"))
    assert signed["authorization"] == _text(official.headers["Authorization"])


@pytest.mark.parametrize("size", [1, 300_000])
async def test_other_bytes_or_another_moment_have_another_signature(size: int) -> None:
    signer = AwsSigner("bedrock", REGION, credential(""), {}, clock=Noon())
    request = HttpRequest("https://a.example/x", {"content-type": "application/json"}, b"a" * size)
    first = await signer.sign("", request)
    assert first == await signer.sign("", request)
    assert first != await signer.sign("", request._replace(body=b"b" * size))
    assert first != await signer.sign("", request._replace(url="https://a.example/y"))
    later = await AwsSigner("bedrock", REGION, credential(""), {}).sign("", request)
    assert later["x-amz-date"] != first["x-amz-date"]


async def test_each_of_several_credentials_signs_by_its_name() -> None:
    signer = AwsSigner("bedrock", REGION, AwsCredential(), {"blue": credential("t" * 20), "red": AwsCredential(bearer=Secret("ABSK-red"))})
    assert signer.usable
    assert set(signer.secrets) == {*KEYS, "t" * 20, "ABSK-red"}
    assert signer.fixed("red") == {"authorization": "Bearer ABSK-red"}
    assert signer.fixed("blue") is None
    assert (await signer.sign("blue", HttpRequest("https://a.example/x", {})))["x-amz-security-token"] == "t" * 20
    for name in ("", "green"):
        with pytest.raises(AdapterError) as caught:
            signer.fixed(name)
        assert caught.value.reason_name == "NO_CREDENTIAL"


def test_a_simulator_needs_no_credential() -> None:
    signer = AwsSigner("simulator-bedrock", REGION, AwsCredential(), {}, required=False)
    assert (signer.usable, signer.fixed(""), signer.secrets) == (True, {}, [])


def test_without_botocore_the_endpoint_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "find_spec", lambda _: None)
    signer = AwsSigner("bedrock", REGION, credential(""), {})
    assert not signer.usable
    with pytest.raises(AdapterError, match="botocore is not installed") as caught:
        signer.fixed("")
    assert (caught.value.reason_name, caught.value.metadata["sent"]) == ("NO_CREDENTIAL", "false")


def test_botocore_is_loaded_only_when_something_is_signed() -> None:
    program = "import sys, llm_mesh_adapter_bedrock.wiring; sys.exit('botocore' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
