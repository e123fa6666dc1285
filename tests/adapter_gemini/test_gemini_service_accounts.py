"""Service accounts: an assertion that the issuer can check, one token for everybody, and errors that name what is wrong with a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from llm_mesh_adapter_gemini.provider.overrides import configured
from llm_mesh_adapter_gemini.settings import Settings
from llm_mesh_adapter_gemini.wiring import service
from llm_mesh_adapter_kit import google_accounts
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import host
from tests.adapter_gemini.conftest import VERTEX, Adapted, attempt, saying
from tests.adapter_kit.scripted_provider import Visit, provider, sized
from tests.adapter_kit.tunnel_proxy import tunnel_proxy

LOAD = 200
JSON = b"content-type: application/json"
ANSWER = sized(b'{"candidates":[{"content":{"parts":[{"text":"ya29.token-1"}]},"finishReason":"STOP"}]}', JSON)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return text.decode()


def written(file: Path, text: str) -> None:
    file.write_text(text)


class Issued:
    """What reached issuer and provider."""

    def __init__(self) -> None:
        self.forms: list[dict[str, list[str]]] = []
        self.bearers: list[str] = []
        self.answers = [sized(b'{"access_token":"ya29.token-1","expires_in":3599,"token_type":"Bearer"}', JSON)]


@asynccontextmanager
async def issuing(file: Path, info: dict[str, Any], **fields: Any) -> AsyncIterator[tuple[Adapted, Issued]]:
    """The adapter before a provider at Vertex, and an issuer that counts."""
    issued = Issued()

    async def issue(visit: Visit) -> None:
        while request := await visit.request():
            issued.forms.append(parse_qs(request.partition(b"\r\n\r\n")[2].decode()))
            await visit.say(issued.answers[min(len(issued.forms), len(issued.answers)) - 1])

    async def answer(visit: Visit) -> None:
        while request := await visit.request():
            head = request.partition(b"\r\n\r\n")[0].decode()
            issued.bearers += [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("authorization:")]
            await visit.say(ANSWER)

    async with provider(issue) as (_, token_port), provider(answer) as (_, port):
        token_uri = f"http://127.0.0.1:{token_port}/token"
        written(file, json.dumps({"token_uri": token_uri, **info}))
        endpoint = {"api": "vertex", "base_url": f"http://127.0.0.1:{port}/v1", "local": True, "credentials_file": str(file), **fields}
        made = Settings(endpoints={VERTEX: json.dumps(endpoint)})
        async with host(service, settings={"adapter/gemini": made}) as mesh:
            yield Adapted(mesh, token_uri), issued


async def test_two_hundred_requests_share_one_token_and_no_answer_says_it(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    info = {"type": "service_account", "client_email": "mesh@p.iam.gserviceaccount.com", "private_key": pem(key), "private_key_id": "k1"}
    async with issuing(tmp_path / "account.json", info) as (adapter, issued):
        answers = await asyncio.gather(*(adapter.generate(saying(), attempt("m", endpoint=VERTEX)) for _ in range(LOAD)))
        token_uri = adapter.address
    assert {each.output.choices[0].message.parts[0].text.text for each in answers} == {"***"}
    assert issued.bearers == ["Bearer ya29.token-1"] * LOAD
    assert len(issued.forms) == 1
    form = issued.forms[0]
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(form["assertion"][0], certs=public)  # type: ignore[no-untyped-call]
    assert claims["iss"] == "mesh@p.iam.gserviceaccount.com"
    assert claims["aud"] == token_uri
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["exp"] - claims["iat"] == 3600


async def test_who_signed_in_with_gcloud_has_a_refresh_token(tmp_path: Path) -> None:
    info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    async with issuing(tmp_path / "adc.json", info) as (adapter, issued):
        await adapter.generate(saying(), attempt("m", endpoint=VERTEX))
    assert issued.forms == [{"grant_type": ["refresh_token"], "client_id": ["c"], "client_secret": ["s"], "refresh_token": ["r"]}]


@pytest.mark.parametrize(
    ("text", "reason", "why"),
    [
        (None, "NO_CREDENTIAL", "cannot be read"),
        ("no json", "NO_CREDENTIAL", "not JSON"),
        ('{"type":"external_account"}', "NO_CREDENTIAL", "expected type service_account"),
        ('{"type":"service_account","client_email":"x"}', "NO_CREDENTIAL", "private_key is missing"),
        ('{"type":"service_account","client_email":"x","private_key":"y"}', "NO_CREDENTIAL", "private_key is none"),
        (
            '{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","token_uri":"http://10.1.2.3/token"}',
            "PROVIDER_UNREACHABLE",
            "does not answer",
        ),
    ],
)
async def test_a_file_that_gives_no_token_says_why_and_nothing_is_sent(tmp_path: Path, text: str | None, reason: str, why: str) -> None:
    file = tmp_path / "account.json"
    async with issuing(file, {}) as (adapter, issued):
        if text is None:
            file.unlink()
        else:
            written(file, text)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate(saying(), attempt("m", endpoint=VERTEX))
    error = from_rpc_error(failure.value)
    assert (error.reason_name, error.metadata["sent"]) == (reason, "false")
    assert why in error.message
    assert issued.bearers == []


async def test_an_issuer_that_refuses_is_told_by_its_word(tmp_path: Path) -> None:
    info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    async with issuing(tmp_path / "adc.json", info) as (adapter, issued):
        refused = b'{"error":"invalid_grant","error_description":"account mesh@p was disabled"}'
        issued.answers = [sized(refused, JSON, status=b"400 Bad Request")]
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate(saying(), attempt("m", endpoint=VERTEX))
    message = from_rpc_error(failure.value).message
    assert "answered 400: invalid_grant" in message
    assert "mesh@p" not in message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (b"400 Bad Request", {"error": "GOCSPXsecret"}),
        (b"200 OK", {"access_token": ""}),
        (b"200 OK", {"access_token": "a b"}),
        (b"200 OK", {"access_token": "a" * 8_193}),
    ],
)
async def test_what_is_no_token_is_neither_sent_nor_repeated(tmp_path: Path, status: bytes, body: dict[str, str]) -> None:
    info = {"type": "authorized_user", "client_id": "c", "client_secret": "GOCSPXsecret", "refresh_token": "r"}
    async with issuing(tmp_path / "adc.json", info) as (adapter, issued):
        issued.answers = [sized(json.dumps(body).encode(), JSON, status=status)]
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate(saying(), attempt("m", endpoint=VERTEX))
        assert issued.bearers == []
    message = from_rpc_error(failure.value).message
    assert message.endswith(f"answered {status[:3].decode()}: nothing that is a token")


def test_without_the_library_the_endpoint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_accounts, "find_spec", {}.get)
    made = configured(Settings(credentials_file="/x.json", project="p"), google_accounts.Issuers(SystemClock()))
    endpoint = made.table.of("vertex")
    assert not endpoint.usable
    with pytest.raises(Exception, match="llm-mesh-adapter-kit\\[google\\]"):
        endpoint.signer.fixed("")


async def test_tokens_are_fetched_through_the_proxy_of_the_endpoint(tmp_path: Path) -> None:
    async def issue(visit: Visit) -> None:
        while await visit.request():
            await visit.say(sized(b'{"access_token":"ya29.behind","expires_in":3600}', JSON))

    async with provider(issue) as (_, port), tunnel_proxy() as (proxy, address):
        file = tmp_path / "adc.json"
        token_uri = f"http://issuer.test:{port}/token"
        known = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": token_uri}
        file.write_text(json.dumps(known))
        fields = {"base_url": "https://vertex.test/v1", "credentials_file": str(file), "proxy": address, "allow": ["127.0.0.0/8"]}
        issuers = google_accounts.Issuers(SystemClock())
        signer = configured(Settings(endpoints={"vertex": json.dumps(fields)}), issuers).table.of("vertex").signer
        request = HttpRequest("https://vertex.test/v1/models", {}, b"", "GET", 5, 5, "")
        assert await signer.sign("", request) == {"authorization": "Bearer ya29.behind"}
        assert proxy.heads[0].startswith(b"CONNECT issuer.test:%d HTTP/1.1\r\n" % port)
        await issuers.close()


def test_the_client_certificate_of_an_endpoint_is_not_shown_to_the_issuer() -> None:
    whole = TransportSettings(proxy="http://p:1", authorities="a.pem", client_certificate="c.pem", client_key="k.pem", http2=True)
    assert google_accounts.way_to_issuer(whole) == TransportSettings(proxy="http://p:1", authorities="a.pem")
    assert google_accounts.way_to_issuer(TransportSettings(client_certificate="c.pem")) == TransportSettings()
