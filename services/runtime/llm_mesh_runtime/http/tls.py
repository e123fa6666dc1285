"""TLS of an HTTP listener: its certificate, and the authorities of clients' certificates where clients must show one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_mesh_runtime.start_error import StartError

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings

HANDSHAKE = 20.0
"""Seconds until both sides must have agreed: as long as a head may take."""
GOODBYE = 2.0
"""Seconds for an idle client to agree that a connection ends when the listener does."""


@dataclass(frozen=True, slots=True)
class HttpTls:
    """Paths of PEM files. `authorities` empty: clients need no certificate."""

    certificate: str
    key: str
    authorities: str = ""

    @classmethod
    def of(cls, mesh: MeshSettings) -> HttpTls | None:
        """As the settings say; None: the listener speaks plain HTTP."""
        if not mesh.http_tls_certificate:
            return None
        return cls(mesh.http_tls_certificate, mesh.http_tls_key, mesh.http_tls_client_ca)

    def context(self) -> ssl.SSLContext:
        """For the listener. StartError where a file cannot be used."""
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authorities or None)
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl's own errors are such
            names = " or ".join(filter(None, (self.certificate, self.key, self.authorities)))
            raise StartError(
                f"HTTP cannot speak TLS: {error.filename or names}: {error.strerror or error} (LLM_MESH_HTTP_TLS_…)"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self.authorities:
            context.verify_mode = ssl.CERT_REQUIRED
        return context
