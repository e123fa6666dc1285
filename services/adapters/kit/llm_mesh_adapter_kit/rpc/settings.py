"""How calls of gRPC travel to an endpoint: TLS with own authorities and a client's certificate, which need no library besides gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from ssl import get_default_verify_paths

import grpc

from llm_mesh_adapter_kit.transport.settings import TransportSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcTransportSettings(TransportSettings):
    """The settings of a `TransportSettings` that gRPC has."""

    def check(self, scheme: str, *, local: bool) -> None:
        """ValueError, naming the key, where the settings contradict each other or the endpoint."""
        del local
        for key in ("proxy", "http2"):
            if getattr(self, key):
                raise ValueError(f"{key}: connections of gRPC have no such setting")
        for key in ("client_certificate", "authorities"):
            if getattr(self, key) and scheme != "https":
                raise ValueError(f"{key}: base_url must be https")
        if self.client_key and not self.client_certificate:
            raise ValueError("client_key: there is no client_certificate")

    def credentials(self) -> grpc.ChannelCredentials:
        """How both sides prove who they are. Reads files; OSError where one is not there."""
        certificate = _read(self.client_certificate)
        key = _read(self.client_key) or certificate
        authorities = self.authorities or get_default_verify_paths().cafile or ""
        made: grpc.ChannelCredentials = grpc.ssl_channel_credentials(_read(authorities), key, certificate)
        return made


def rpc_transport(plain: TransportSettings) -> RpcTransportSettings:
    """The same settings, as gRPC has them."""
    return RpcTransportSettings(
        proxy=plain.proxy,
        proxy_credential=plain.proxy_credential,
        http2=plain.http2,
        client_certificate=plain.client_certificate,
        client_key=plain.client_key,
        authorities=plain.authorities,
    )


def _read(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None
