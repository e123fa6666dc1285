"""Proofs of reasoning that say where they came from, for providers that take them back only at the same model, key and route.

Such a proof travels through the mesh and its clients as `gemini:<code>:<place>:<proof>`. The code is an authentication code over the proof,
dialect, route, key and model, by a secret of the tenant who got it: a proof that another tenant shows is not taken. The place says at which
part of the turn the proof stood. Proofs of other dialects have no such mark. A code of 12 digits is of an earlier version and bound to no
tenant: such a proof is known by its form, and belongs to nobody.
"""

from __future__ import annotations

import hmac
import re
from typing import Final, NamedTuple

_MARKED: Final = re.compile(r"([a-z]{2,32}):([0-9a-f]{12}|[0-9a-f]{32}):([a-z]):(.+)", re.DOTALL)
_CODE_BYTES: Final = 16


class Proof(NamedTuple):
    """A proof, and where it came from."""

    dialect: str
    code: str
    place: str
    text: str
    """As the provider gave it."""


class ProofOrigin:
    """Where proofs come from, and whose they are: marks them, and knows its own again.

    `key` is the tenant's secret; `facts` must be the same for a proof to hold.
    """

    __slots__ = ("_dialect", "_key")

    def __init__(self, dialect: str, key: bytes, *facts: str) -> None:
        self._dialect = dialect
        self._key = hmac.digest(key, "\0".join((dialect, *facts)).encode("utf-8", "surrogatepass"), "sha256")

    def marked(self, placed: str) -> str:
        """A proof with its place before it, such as `n:CiQB`, as it travels."""
        return f"{self._dialect}:{self._code(placed)}:{placed}"

    def own(self, signature: str) -> Proof | None:
        """The proof that a signature is, where it came from here and for this tenant."""
        proof = proof_of(signature) if signature else None
        if proof is None or proof.dialect != self._dialect:
            return None
        return proof if hmac.compare_digest(self._code(f"{proof.place}:{proof.text}"), proof.code) else None

    def _code(self, placed: str) -> str:
        return hmac.digest(self._key, placed.encode("utf-8", "surrogatepass"), "sha256")[:_CODE_BYTES].hex()


def proof_of(signature: str) -> Proof | None:
    """The proof that a marked signature is; None for one without a mark."""
    parts = _MARKED.fullmatch(signature)
    return None if parts is None else Proof(parts[1], parts[2], parts[3], parts[4])
