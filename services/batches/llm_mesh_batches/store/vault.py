"""What is kept sealed: names, content, bodies, results. A row that is moved to another tenant, resource or place does not open."""

from __future__ import annotations

import hmac

from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_runtime.content_cipher import ContentCipher
from llm_mesh_runtime.errors import store_unavailable
from llm_mesh_runtime.seals import derive

_PURPOSE = "batches"


class Vault:
    """Seals and opens, each piece for its place."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = ContentCipher(secret, _PURPOSE)
        self._digests = derive(secret, f"{_PURPOSE}/custom ids")

    def closed(self, content: bytes, tenant: Tenant, kind: str, *place: str) -> bytes:
        """The content, sealed."""
        return self._cipher.closed(content, *tenant, kind, *place)

    def opened(self, sealed: bytes, tenant: Tenant, kind: str, *place: str) -> bytes:
        """The content. STORE_UNAVAILABLE where it was sealed by another key or for another place: the store is not ours then."""
        content = self._cipher.opened(sealed, *tenant, kind, *place)
        if content is None:
            raise store_unavailable("store of batches, whose content does not open by LLM_MESH_BATCHES_SEALING_KEY")
        return content

    def digest(self, tenant: Tenant, batch: str, custom_id: str) -> bytes:
        """By which a custom id is told from others of its batch, and which says nothing about it."""
        bound = "\x00".join((*tenant, batch, custom_id))
        return hmac.digest(self._digests, bound.encode(), "sha256")
