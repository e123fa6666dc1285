"""TLS between services: one certificate per service, whose name is the service's name in the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM texts of this process. With an authority, peers and callers are authenticated by their certificates."""

    certificate: bytes = b""
    key: bytes = b""
    authority: bytes = b""

    @classmethod
    def read(cls, certificate: str, key: str, authority: str) -> Tls | None:
        """Read the files; None where none is named."""
        if not certificate and not authority:
            return None
        return cls(*(Path(path).read_bytes() if path else b"" for path in (certificate, key, authority)))

    @property
    def mutual(self) -> bool:
        """Whether both sides show certificates."""
        return bool(self.certificate and self.authority)

    def client(self) -> grpc.ChannelCredentials:
        """For calls to peers."""
        return grpc.ssl_channel_credentials(self.authority or None, self.key or None, self.certificate or None)

    def server(self, clients: bytes = b"") -> grpc.ServerCredentials:
        """For a listener. `clients`: the authorities of its callers' certificates. Empty: they need none."""
        return grpc.ssl_server_credentials([(self.key, self.certificate)], clients or None, require_client_auth=bool(clients))


def certificate_name(service: str) -> str:
    """The DNS name in a service's certificate: `policy.llm-mesh`, `openai.adapter.llm-mesh`."""
    return ".".join(reversed(service.split("/"))) + ".llm-mesh"
