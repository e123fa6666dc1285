"""Proofs that a message of one type was made by a service of the mesh and meant for one audience.

An admission or a grant travels through services that must not be able to forge it. Each audience has a key of its own,
derived from the mesh's secret (HKDF, RFC 5869) or given to exactly the sealer and the audience. The proof covers the type's
full name, so that the bytes of a caller are never taken for an admission or a grant.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_runtime.errors import invalid_seal

MAX_PAYLOAD = 64 * 1024
_SALT = b"llm-mesh seals v1"
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose, from which neither the secret nor any other key follows."""
    extracted = hmac.digest(_SALT, secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


class Seals:
    """Makes and checks proofs. Without a mesh secret it knows only the audiences whose keys it was given.

    `kind` is the full name of the message's type, such as `llm_mesh.policy.v1.Admission`.
    """

    def __init__(self, secret: bytes = b"", *, keys: Mapping[str, bytes] | None = None) -> None:
        self._secret = secret
        self._keys = {audience: hashlib.sha256(key).digest() for audience, key in (keys or {}).items()}
        self._begun: dict[tuple[str, str], _Begun] = {}

    def knows(self, audience: str) -> bool:
        """Whether there is a key for the audience."""
        return bool(self._secret) or audience in self._keys

    def seal(self, audience: str, kind: str, payload: bytes) -> bytes:
        """The proof of the payload for the audience."""
        begun = self._begun_for(audience, kind)
        if begun is None:
            raise LookupError(f"there is no key to seal for {audience}: give the mesh secret or LLM_MESH_SEAL_KEYS")
        return _finished(begun, payload)

    def verify(self, audience: str, kind: str, payload: bytes, mac: bytes) -> bool:
        """Whether the proof is one for this payload, type and audience. Takes the same time either way."""
        begun = self._begun_for(audience, kind)
        return begun is not None and hmac.compare_digest(_finished(begun, payload), mac)

    def sealed(self, kind: str, payload: bytes, *audiences: str) -> resources_pb2.Sealed:
        """The payload with one proof per audience."""
        sealed = resources_pb2.Sealed(payload=payload)
        for audience in audiences:
            sealed.seals.add(audience=audience, mac=self.seal(audience, kind, payload))
        return sealed

    def opened(self, audience: str, kind: str, sealed: resources_pb2.Sealed, *, what: str = "message") -> bytes:
        """The payload, once its proof for the audience and the type is checked."""
        payload = sealed.payload
        if len(payload) <= MAX_PAYLOAD:
            for seal in sealed.seals:
                if seal.audience == audience and self.verify(audience, kind, payload, seal.mac):
                    return payload
        raise invalid_seal(what)

    def _begun_for(self, audience: str, kind: str) -> _Begun | None:
        """A proof that has taken in the audience and the type already."""
        begun = self._begun.get((audience, kind))
        if begun is None:
            key = self._keys.get(audience) or (derive(self._secret, "seal/" + audience) if self._secret else b"")
            if not key:
                return None
            begun = self._begun[audience, kind] = _begun(audience, kind, key)
        return begun


_Begun = tuple[Any, Any]
"""The inner and the outer hash of an HMAC (RFC 2104), each with its block of the key taken in."""


def _finished(begun: _Begun, payload: bytes) -> bytes:
    """The proof with the payload taken in.

    Copied from the one that is kept: the one-shot function lets other threads run first, each time, and a busy store would
    make a request wait for milliseconds. The two hashes themselves, since a request has half a dozen proofs and `hmac.HMAC`
    puts a Python call around each of the steps.
    """
    inner, outer = begun[0].copy(), begun[1].copy()
    inner.update(payload)
    outer.update(inner.digest())
    proof: bytes = outer.digest()
    return proof


def _begun(audience: str, kind: str, key: bytes) -> _Begun:
    """For keys of at most a block, which all are here."""
    block = key.ljust(hashlib.sha256().block_size, b"\x00")
    inner = hashlib.sha256(block.translate(_INNER))
    inner.update(audience.encode() + b"\x00" + kind.encode() + b"\x00")
    return inner, hashlib.sha256(block.translate(_OUTER))
