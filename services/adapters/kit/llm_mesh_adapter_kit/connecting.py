"""How an endpoint is connected to: which HTTP client, which authorities, which certificate of ours, which proxy."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_runtime.secret import Secret

T = TypeVar("T")
FAST: Final = "fast"
AIOHTTP: Final = "aiohttp"
EVERYWHERE: Final = AddressRule(local=True, extra=("0.0.0.0/0", "::/0"))
"""Where a proxy may stand: the operator names it, and the provider proves itself to us behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """The part of an endpoint's setting that is about connections. `ValueError` names the key that is wrong."""

    client: str = FAST
    """`fast`: the kit's own. `aiohttp`: the library, for what the other lacks."""
    proxy: str = ""
    """An `http` address to which every connection goes, with CONNECT."""
    proxy_credential: Secret = field(default_factory=Secret)
    """`user:password` for the proxy."""
    ca: str = ""
    """A file of certificates in PEM: only these authorities are believed."""
    client_certificate: str = ""
    """A file in PEM: the certificate that is shown to the server, and what leads from it to its authority."""
    client_key: str = ""
    """The file of its key. Empty: it stands in the same file."""

    def __post_init__(self) -> None:
        if self.client not in {FAST, AIOHTTP}:
            raise ValueError("client: expected fast or aiohttp")
        if self.client_key and not self.client_certificate:
            raise ValueError("client_key: expected a client_certificate beside it")
        if self.proxy_credential and not self.proxy:
            raise ValueError("proxy_credential: expected a proxy beside it")
        if self.proxy:
            self._check_proxy()

    def _check_proxy(self) -> None:
        parts = urlsplit(self.proxy)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("proxy: expected an address such as http://proxy.example:3128")
        if parts.username is not None or parts.password is not None:
            raise ValueError("proxy: expected no user in it; name user and password by proxy_credential")
        if self.client != AIOHTTP:
            raise ValueError("proxy: expected client aiohttp beside it")
        if self.proxy_credential and ":" not in self.proxy_credential.reveal():
            raise ValueError("proxy_credential: expected the name of a credential of the form user:password")

    @property
    def secure(self) -> bool:
        """Whether it says something that only TLS can do."""
        return bool(self.proxy or self.ca or self.client_certificate)

    def tls(self, usual: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
        """Gives the TLS context: the usual one where nothing is set. What is set is read now; `ValueError` where that fails."""
        if not self.ca and not self.client_certificate:
            return usual
        context = _loaded("ca", lambda: ssl.create_default_context(cafile=self.ca or None))
        context.set_alpn_protocols(["http/1.1"])
        if self.client_certificate:
            chain, key = self.client_certificate, self.client_key or None
            _loaded("client_certificate", lambda: context.load_cert_chain(chain, key, password=_no_password))
        return lambda: context


def _no_password() -> str:
    raise ValueError("the key has a password")


def _loaded(key: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"{key}: the file cannot be read: {why}") from None
