"""The port of signers: what puts credentials on a request. An endpoint has one; without one of its own it sends a static header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_mesh_adapter_kit.errors import no_credential
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_runtime.secret import Secret


class Signer(Protocol):
    """Puts credentials on the requests to one endpoint: a static header, a token that is fetched and renewed, or a signature."""

    @property
    def usable(self) -> bool:
        """Whether it can sign, as far as it knows without asking anybody."""

    @property
    def secrets(self) -> Sequence[str]:
        """Everything secret that it sends or sent of late. It is taken out of whatever the provider says; looked at after each `sign`."""

    def fixed(self, credential: str) -> Mapping[str, str] | None:
        """The headers that authenticate every request, where they never change: they are prepared once. None: `sign` makes them.

        `credential` is the name of one of several; empty: the endpoint's usual one. Raises NO_CREDENTIAL where there is none.
        """

    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        """The headers that authenticate this request: they replace headers of the same name, which are in lower case.

        `request` has the method, the URL, all headers but `host`, `content-length` and the connection's own, and the body. It MUST NOT
        hold the event loop. It is given up after the attempt's limit for connecting (PROVIDER_TIMEOUT, nothing was sent). Raises
        `AdapterError`: `errors.no_credential` where there is no credential, `errors.unreachable` where tokens cannot be fetched.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How a credential is sent in a static header."""

    header: str = "authorization"
    scheme: str = "Bearer "
    required: bool = True


class StaticHeader:
    """Implements `Signer`: a credential behind the word of its scheme."""

    __slots__ = ("_auth", "_credential", "_credentials", "_endpoint")

    def __init__(self, endpoint: str, auth: Auth, credential: Secret, credentials: Mapping[str, Secret]) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._credential = credential
        self._credentials = credentials

    @property
    def usable(self) -> bool:
        """Whether there is a credential, or none is needed."""
        return bool(self._credential) or bool(self._credentials) or not self._auth.required

    @property
    def secrets(self) -> Sequence[str]:
        """See `Signer`."""
        return [secret.reveal() for secret in (self._credential, *self._credentials.values())]

    def fixed(self, credential: str) -> Mapping[str, str]:
        """See `Signer`."""
        secret = self._credentials.get(credential) if credential else self._credential
        if secret is None:
            raise no_credential(self._endpoint, "there is no credential of that name")
        if secret:
            return {self._auth.header: self._auth.scheme + secret.reveal()}
        if self._auth.required:
            raise no_credential(self._endpoint, "it has no credential")
        return {}

    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        """See `Signer`; the header is the same for every request."""
        del request
        return self.fixed(credential)
