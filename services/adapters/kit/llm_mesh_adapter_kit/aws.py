"""Signs requests to AWS (Signature Version 4) with botocore's signer, or sends a bearer key where there is one.

Signed are the bytes of the body, the path as it is sent, and the headers that AWS's own clients sign: whatever a proxy adds or changes
beside them breaks no signature. botocore is an optional part, and is loaded with the first signature.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from llm_mesh_adapter_kit.errors import no_credential
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_runtime.clock import Clock, SystemClock
from llm_mesh_runtime.secret import Secret

_SIGNED: Final = ("content-type", "accept")
_AMAZON: Final = "x-amz"
_TIMESTAMP: Final = "%Y%m%dT%H%M%SZ"
_AT_ONCE: Final = 256 * 1024
"""Bytes of a body that are hashed without a thread: 0.2 ms."""
MISSING: Final = "botocore is not installed; install the adapter with its extra `aws`"


@dataclass(frozen=True, slots=True)
class AwsCredential:
    """A bearer key, or a pair of access keys, which a session token makes temporary."""

    bearer: Secret = field(default_factory=Secret)
    access_key_id: Secret = field(default_factory=Secret)
    secret_access_key: Secret = field(default_factory=Secret)
    session_token: Secret = field(default_factory=Secret)

    def __bool__(self) -> bool:
        return bool(self.bearer) or bool(self.access_key_id and self.secret_access_key)

    @property
    def secrets(self) -> Sequence[str]:
        """Everything of it that must not be said, the account's own name among them."""
        return [each.reveal() for each in (self.bearer, self.access_key_id, self.secret_access_key, self.session_token) if each]


def botocore_present() -> bool:
    """Whether the optional part is installed."""
    return find_spec("botocore") is not None


def load_botocore() -> None:
    """Load what signs and decodes: 100 ms, in a thread of the caller's."""
    for module in ("botocore.auth", "botocore.awsrequest", "botocore.credentials", "botocore.eventstream"):
        importlib.import_module(module)


class AwsSigner:
    """Implements `Signer`. `required`: there must be a credential; a simulator needs none."""

    def __init__(
        self,
        endpoint: str,
        region: str,
        credential: AwsCredential,
        credentials: Mapping[str, AwsCredential],
        *,
        service: str = "bedrock",
        required: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._credential = credential
        self._credentials = credentials
        self._service = service
        self._required = required
        self._clock = clock or SystemClock()
        self._present = botocore_present()
        self._secrets = [secret for each in (credential, *credentials.values()) for secret in each.secrets]

    @property
    def usable(self) -> bool:
        """See `Signer`."""
        return self._present and (not self._required or any((self._credential, *self._credentials.values())))

    @property
    def secrets(self) -> Sequence[str]:
        """See `Signer`."""
        return self._secrets

    def fixed(self, credential: str) -> Mapping[str, str] | None:
        """See `Signer`: a bearer key never changes, a signature always does."""
        chosen = self._chosen(credential)
        if chosen.bearer:
            return {"authorization": f"Bearer {chosen.bearer.reveal()}"}
        return None if chosen else {}

    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        """See `Signer`."""
        chosen = self._chosen(credential)
        timestamp = self._clock.now().strftime(_TIMESTAMP)
        if len(request.body) <= _AT_ONCE and _loaded():
            return self._signature(chosen, request, timestamp)
        return await asyncio.to_thread(self._signature, chosen, request, timestamp)

    def _chosen(self, credential: str) -> AwsCredential:
        if not self._present:
            raise no_credential(self._endpoint, MISSING)
        chosen = self._credentials.get(credential) if credential else self._credential
        if chosen is None:
            raise no_credential(self._endpoint, "there is no credential of that name")
        if not chosen and self._required:
            raise no_credential(self._endpoint, "it has no credential")
        return chosen

    def _signature(self, credential: AwsCredential, request: HttpRequest, timestamp: str) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 (optional, and 100 ms)
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 (likewise)
        from botocore.credentials import Credentials  # noqa: PLC0415 (likewise)

        token = credential.session_token.reveal()
        made = {"x-amz-date": timestamp} | ({"x-amz-security-token": token} if token else {})
        signed = {name: value for name, value in request.headers.items() if name in _SIGNED or name.startswith(_AMAZON)}
        sealed = AWSRequest(request.method, request.url, headers=signed | made, data=request.body)
        sealed.context["timestamp"] = timestamp
        keys = Credentials(credential.access_key_id.reveal(), credential.secret_access_key.reveal(), token or None)
        auth: Any = SigV4Auth(keys, self._service, self._region)
        signature = auth.signature(auth.string_to_sign(sealed, auth.canonical_request(sealed)), sealed)
        names = auth.signed_headers(auth.headers_to_sign(sealed))
        scope = f"Credential={auth.scope(sealed)}, SignedHeaders={names}, Signature={signature}"
        return {"authorization": f"AWS4-HMAC-SHA256 {scope}", **made}


def _loaded() -> bool:
    """Whether a signature needs no import."""
    return sys.modules.keys() >= {"botocore.auth", "botocore.awsrequest", "botocore.credentials"}
