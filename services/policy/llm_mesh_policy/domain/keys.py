"""A key as it is stored, and as the contract shows it."""

from __future__ import annotations

from dataclasses import dataclass

from llm_mesh.policy.v1 import identity_pb2


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A virtual key with the hashes of its secrets. Times are microseconds since 1970 UTC; 0: unset."""

    domain: str
    project: str
    id: str
    principal: str
    """The principal's name."""
    body: bytes
    """The contract's `Key` with what people wrote: display name, projects, allowed models, hint."""
    digest: bytes
    create_time: int
    expire_time: int = 0
    revoke_time: int = 0
    previous_digest: bytes = b""
    previous_expire_time: int = 0
    revision: int = 0

    @property
    def name(self) -> str:
        """`domains/{domain}/projects/{project}/keys/{key}`."""
        return f"{self.project_name}/keys/{self.id}"

    @property
    def project_name(self) -> str:
        """The project that it belongs to."""
        return f"domains/{self.domain}/projects/{self.project}"

    def live(self, now: int) -> bool:
        """Neither revoked nor expired."""
        return not self.revoke_time and not (self.expire_time and self.expire_time <= now)

    def message(self) -> identity_pb2.Key:
        """The key as the contract shows it."""
        key = identity_pb2.Key.FromString(self.body)
        key.name = self.name
        key.principal = self.principal
        key.create_time.FromMicroseconds(self.create_time)
        if self.expire_time:
            key.expire_time.FromMicroseconds(self.expire_time)
        if self.revoke_time:
            key.revoke_time.FromMicroseconds(self.revoke_time)
        if self.previous_expire_time:
            key.previous_expire_time.FromMicroseconds(self.previous_expire_time)
        return key
