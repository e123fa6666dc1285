"""How requests travel to an endpoint, where that is more than HTTP/1.1 straight to its address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Protocol
from urllib.parse import urlsplit

from llm_mesh_runtime.secret import Secret

EXTRA = "llm-mesh-adapter-kit[transport]"
_NEEDS = ("httpcore2", "anyio", "h2")
_CREDENTIAL = re.compile(r"[!-9;-~]+:[!-~]+")
"""A user, a colon and a password."""


class TransportFields(Protocol):
    """One endpoint's setting, as a JSON object."""

    def text(self, key: str) -> str | None:
        """The string of a key."""

    def truth(self, key: str) -> bool | None:
        """The boolean of a key."""

    def wrong(self, key: str, expected: str) -> Exception:
        """The complaint about a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """The settings. Without any, the adapters' own client serves the endpoint."""

    proxy: str = ""
    """The proxy that tunnels every connection, such as `http://proxy.internal:3128`."""
    proxy_credential: Secret = field(default_factory=Secret)
    """User and password at the proxy, with a colon between them."""
    http2: bool = False
    """Offer HTTP/2; a server that does not take it is spoken to in HTTP/1.1."""
    client_certificate: str = ""
    """File of the certificate, and of those between it and its authority, by which the mesh proves who it is."""
    client_key: str = ""
    """File of its private key, not encrypted. Empty: the certificate's file."""
    authorities: str = ""
    """File of the authorities that may sign the server's certificate, in the place of the system's."""
    server_name: str = ""
    """The name that the server's certificate must have. Empty: the host of the address. Only over gRPC."""
    grpc: bool = False
    """The endpoint is reached by gRPC, which needs no library besides."""

    @property
    def plain(self) -> bool:
        """Whether nothing is set."""
        return not (self.proxy or self.http2 or self.client_certificate or self.client_key or self.authorities)

    def check(self, scheme: str, *, local: bool) -> None:
        """ValueError, naming the key, where the settings contradict each other or the endpoint, or the library is missing."""
        if self.proxy:
            check_proxy(self.proxy)
        if self.proxy and local:
            raise ValueError("proxy: a local endpoint is reached without one")
        if self.proxy_credential and not self.proxy:
            raise ValueError("proxy_credential: there is no proxy")
        if self.proxy_credential and not _CREDENTIAL.fullmatch(self.proxy_credential.reveal()):
            raise ValueError("proxy_credential: the credential must be a user and a password with a colon between them")
        for key in ("http2", "client_certificate", "authorities"):
            if getattr(self, key) and scheme != "https":
                raise ValueError(f"{key}: base_url must be https")
        if self.client_key and not self.client_certificate:
            raise ValueError("client_key: there is no client_certificate")
        if self.grpc:
            self._check_grpc(scheme)
            return
        if not self.plain and not installed():
            key = next(key for key in ("proxy", "http2", "client_certificate", "authorities") if getattr(self, key))
            raise ValueError(f"{key}: needs a library that is not installed: that of the extra {EXTRA}")

    def _check_grpc(self, scheme: str) -> None:
        if key := next((key for key in ("proxy", "http2") if getattr(self, key)), None):
            raise ValueError(f"{key}: endpoints over gRPC have no such setting")
        if self.server_name and scheme != "https":
            raise ValueError("server_name: base_url must be https")


def check_proxy(address: str) -> None:
    """ValueError where it is no proxy's address."""
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("proxy: must be the address of an HTTP proxy, such as http://proxy.internal:3128")
    if parts.username is not None or parts.password is not None:
        raise ValueError("proxy: must have no user; name a credential in proxy_credential")
    if parts.port == 0:
        raise ValueError("proxy: the port must be 1 to 65535")


def transport_of(fields: TransportFields, credentials: Mapping[str, Secret]) -> TransportSettings:
    """The settings in one endpoint's setting. `credentials` are the adapter's, by name."""
    name = fields.text("proxy_credential") or ""
    if name and name not in credentials:
        raise fields.wrong("proxy_credential", f"there is no credential {name}")
    return TransportSettings(
        proxy=fields.text("proxy") or "",
        proxy_credential=credentials[name] if name else Secret(),
        http2=fields.truth("http2") or False,
        client_certificate=fields.text("client_certificate") or "",
        client_key=fields.text("client_key") or "",
        authorities=fields.text("authorities") or "",
    )


@cache
def installed() -> bool:
    """Whether the library is there; without loading it."""
    return all(find_spec(name) is not None for name in _NEEDS)
