"""Tokens for Google's credential files: a service account's, or that of a person who signed in with gcloud.

The assertion is signed by google-auth, which is loaded when the first token is needed; the token itself is fetched by the mesh's own
client, under the address rule of the endpoint. A file is read at each renewal: an exchanged key holds without a restart.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.pool import Pool
from llm_mesh_adapter_kit.errors import AdapterError, no_credential
from llm_mesh_adapter_kit.http import (
    BrokenError,
    ConnectTimeoutError,
    ForbiddenError,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    UnreachableError,
)
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.tokens import IssuedToken, TokenSigner, TokenSource, not_issued
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_runtime.clock import Clock

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ISSUER: Final = "https://oauth2.googleapis.com/token"
_FORM: Final = "application/x-www-form-urlencoded"
_LIFETIME: Final = 3_600
_SECONDS: Final = 15.0
_MOST: Final = 64 * 1024
_OK: Final = 200
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}={0,2}")
"""RFC 6750, section 2.1. Google's are shorter than 2,048 characters."""
_WORDS: Final = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""Errors of RFC 6749, and no others: what else an issuer says may repeat what it was sent."""
_FAILED: Final = (UnreachableError, ForbiddenError, ConnectTimeoutError, BrokenError, TimeoutError)
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "service_account": ("client_email", "private_key"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
}
WITHOUT_LIBRARY: Final = "a service account wants google-auth: install llm-mesh-adapter-kit[google]"

PLAIN: Final = TransportSettings()
Connect = Callable[[str, AddressRule, TransportSettings], HttpClient]
"""Makes the client of one origin."""


def connect(origin: str, rule: AddressRule, transport: TransportSettings) -> HttpClient:
    """The adapters' own client, or the other one where there is a proxy."""
    if transport.plain:
        return Pool(origin, rule)
    from llm_mesh_adapter_kit.transport.client import LibraryClient  # noqa: PLC0415 - an optional part, which loads for 0.3 s

    return LibraryClient(origin, rule, transport)


def project_of(file: str) -> str:
    """The project that a credentials file names; empty where it names none, or cannot be read yet."""
    try:
        info = json.loads(Path(file).read_bytes())
    except (OSError, ValueError):
        return ""
    project = info.get("project_id") if isinstance(info, dict) else None
    return project if isinstance(project, str) else ""


class Issuers:
    """Makes the signers of endpoints whose credentials are files."""

    def __init__(self, clock: Clock, connect: Connect = connect) -> None:
        self._clock = clock
        self._connect = connect
        self._clients: dict[tuple[str, bool, tuple[str, ...], TransportSettings], HttpClient] = {}

    def signer(
        self,
        endpoint: str,
        file: str,
        files: Mapping[str, str],
        *,
        local: bool,
        allow: Sequence[str],
        transport: TransportSettings = PLAIN,
    ) -> TokenSigner:
        """The signer of an endpoint. Nothing is read before a token is needed. Tokens are fetched through the proxy of the endpoint."""
        way = local, tuple(allow), way_to_issuer(transport)

        def source(path: str) -> TokenSource:
            issuer = _Issuer(endpoint, Path(path), self._clock, lambda origin: self._client(origin, *way))
            return TokenSource(endpoint, issuer.token, self._clock)

        if find_spec("google") is None or find_spec("google.auth") is None:
            return TokenSigner(endpoint, None, {}, Auth(), WITHOUT_LIBRARY)
        return TokenSigner(endpoint, source(file), {name: source(path) for name, path in files.items()}, Auth())

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, origin: str, local: bool, allow: tuple[str, ...], transport: TransportSettings) -> HttpClient:  # noqa: FBT001 (a key)
        key = (origin, local, allow, transport)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self._connect(origin, AddressRule(local=local, extra=allow), transport)
        return client


def way_to_issuer(transport: TransportSettings) -> TransportSettings:
    """The endpoint's proxy, and the authorities behind it. Its client certificate is for nobody else."""
    if not transport.proxy:
        return PLAIN
    return replace(PLAIN, proxy=transport.proxy, proxy_credential=transport.proxy_credential, authorities=transport.authorities)


class _Issuer:
    """Who issues the tokens of one file."""

    def __init__(self, endpoint: str, file: Path, clock: Clock, client: Callable[[str], HttpClient]) -> None:
        self._endpoint = endpoint
        self._file = file
        self._clock = clock
        self._client = client

    async def token(self) -> IssuedToken:
        """A new token. Raises `AdapterError`."""
        url, form = await asyncio.to_thread(self._request)
        parts = urlsplit(url)
        deadline = time.monotonic() + _SECONDS
        request = HttpRequest(url, {"content-type": _FORM}, urlencode(form).encode(), connect_timeout=_SECONDS, deadline=deadline)
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._client(f"{parts.scheme}://{parts.netloc}").send(request)
                try:
                    answer_fields = await _body(answer)
                finally:
                    answer.close()
        except _FAILED as error:
            raise not_issued(self._endpoint, f"does not answer ({type(error).__name__.removesuffix('Error')})") from None
        text, seconds = answer_fields.get("access_token"), answer_fields.get("expires_in")
        if answer.status != _OK or not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise self._refused(answer.status, answer_fields)
        lifetime = seconds if isinstance(seconds, int) and 0 < seconds <= _LIFETIME * 24 else _LIFETIME
        return IssuedToken(text, sent_at + timedelta(seconds=lifetime))

    def _refused(self, status: int, answer_fields: Mapping[str, Any]) -> AdapterError:
        """The issuer's words of a vocabulary, such as `invalid_grant`; the rest may tell of the account."""
        word = answer_fields.get("error")
        known = word if word in _WORDS else "nothing that is a token"
        return not_issued(self._endpoint, f"answered {status}: {known}")

    def _request(self) -> tuple[str, dict[str, str]]:
        """The address of the issuer, and what it is sent. Reads the file and signs, which takes a millisecond or two."""
        info = self._read()
        url = str(info.get("token_uri") or _ISSUER)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise self._wrong("token_uri must be an address")
        if info["type"] == "authorized_user":
            fields = {name: str(info[name]) for name in _NEEDED["authorized_user"]}
            return url, {"grant_type": "refresh_token", **fields}
        return url, {"grant_type": _GRANT, "assertion": self._assertion(info, url)}

    def _read(self) -> dict[str, Any]:
        try:
            info = json.loads(self._file.read_bytes())
        except OSError as error:
            raise self._wrong(f"it cannot be read ({error.strerror})") from None
        except ValueError:
            raise self._wrong("it is not JSON") from None
        kind = info.get("type") if isinstance(info, dict) else None
        if not isinstance(kind, str) or kind not in _NEEDED:
            raise self._wrong(f"expected type {' or '.join(_NEEDED)}")
        if missing := [name for name in _NEEDED[kind] if not isinstance(info.get(name), str)]:
            raise self._wrong(f"{missing[0]} is missing")
        return dict(info)

    def _assertion(self, info: Mapping[str, Any], url: str) -> str:
        from google.auth import crypt, jwt  # noqa: PLC0415 (a library of 20 MB, for who has such an account)

        now = int(self._clock.now().timestamp())
        claims = {"iss": info["client_email"], "scope": SCOPE, "aud": url, "iat": now, "exp": now + _LIFETIME}
        try:
            signer = crypt.RSASigner.from_service_account_info(info)  # type: ignore[no-untyped-call]
        except ValueError:
            raise self._wrong("private_key is none") from None
        assertion: bytes = jwt.encode(signer, claims)  # type: ignore[no-untyped-call]
        return assertion.decode()

    def _wrong(self, what: str) -> AdapterError:
        return no_credential(self._endpoint, f"the credentials file {self._file.name}: {what}")


async def _body(answer: HttpAnswer) -> dict[str, Any]:
    """What the issuer answers; empty where that is no JSON object."""
    pieces = bytearray()
    while (piece := await answer.read()) and len(pieces) <= _MOST:
        pieces += piece
    try:
        answer_fields = json.loads(bytes(pieces))
    except (ValueError, RecursionError):
        return {}
    return answer_fields if isinstance(answer_fields, dict) else {}
