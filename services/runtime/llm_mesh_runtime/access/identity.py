"""Which service of the mesh calls, as the listeners find out: an mTLS name or a service token; nothing else is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens
from llm_mesh_runtime.context import Frame
from llm_mesh_runtime.pipeline.transport import Transport, arrived
from llm_mesh_runtime.secret import Secret

_INTERNAL = "llm-mesh-"
_CREDENTIAL = "authorization"
_SPIFFE = "spiffe://"
_SUFFIX = ".llm-mesh"
_SAN = "x509_subject_alternative_name"


class PublicOrigin:
    """The public listener: the mesh's own metadata is dropped, and nobody is a service.

    `keys` are those that certificates stand for, by a name in the certificate. A key that the call sends goes before.
    """

    def __init__(self, keys: Mapping[str, Secret] | None = None) -> None:
        self._keys = keys or {}

    def __call__(self, transport: Transport) -> Frame:
        """The metadata, and the key that the certificate stands for."""
        metadata = {key: value for key, value in transport.invocation_metadata() or () if not key.startswith(_INTERNAL)}
        if self._keys and _CREDENTIAL not in metadata:
            key = next((self._keys[name] for name in _names(transport.auth_context()) if name in self._keys), None)
            if key is not None:
                metadata[_CREDENTIAL] = f"Bearer {key.reveal()}"
        return arrived(transport, metadata, "")


def client_keys(entries: Iterable[Secret]) -> Mapping[str, Secret]:
    """Keys by the names of certificates, from entries of both. ValueError where one is not of that form; the message has no key."""
    keys: dict[str, Secret] = {}
    for entry in entries:
        name, _, key = entry.reveal().strip().partition(" ")
        if not name or not key.strip() or name in keys:
            raise ValueError("grpc_client_keys: expected a name in a certificate, once, a space and a key")
        keys[name] = Secret(key.strip())
    return keys


class MeshOrigin:
    """The mesh listener of one service."""

    def __init__(self, callee: str, tokens: ServiceTokens | None, *, mutual_tls: bool) -> None:
        self._callee = callee
        self._tokens = tokens
        self._mutual_tls = mutual_tls

    def __call__(self, transport: Transport) -> Frame:
        """The metadata, and the service that the certificate or the token names."""
        metadata: dict[str, str | bytes] = dict(transport.invocation_metadata() or ())
        token = metadata.pop(HEADER, "")
        service = service_of_names(_names(transport.auth_context())) if self._mutual_tls else ""
        if not service and self._tokens is not None and isinstance(token, str) and token:
            service = self._tokens.caller_of(token, self._callee)
        return arrived(transport, metadata, service)


def _names(auth_context: Mapping[str, Any]) -> Iterable[str]:
    for name in auth_context.get(_SAN, ()):
        yield name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def service_of_names(names: Iterable[str]) -> str:
    """The service that a certificate's names stand for: `policy.llm-mesh`, or `spiffe://<trust domain>/llm-mesh/policy`.

    An adapter is `openai.adapter.llm-mesh` or `…/llm-mesh/adapter/openai`.
    """
    for name in names:
        if name.startswith(_SPIFFE):
            _, separator, service = name.removeprefix(_SPIFFE).partition("/llm-mesh/")
            if separator and service:
                return service
        elif name.endswith(_SUFFIX):
            labels = name.removesuffix(_SUFFIX).split(".")
            return "/".join(reversed(labels))
    return ""
