"""Proofs of reasoning that say where they came from, for providers that take them back only at the same model, key and route.

Such a proof travels through the mesh and its clients as `gemini:<origin>:<place>:<proof>`. The origin is a digest of dialect, route, key
and model; the place says at which part of the turn the proof stood. Proofs of other dialects have no such mark.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, NamedTuple

_MARKED: Final = re.compile(r"([a-z]{2,32}):([0-9a-f]{12}):([a-z]):(.+)", re.DOTALL)
_DIGITS: Final = 12


class Proof(NamedTuple):
    """A proof, and where it came from."""

    dialect: str
    origin: str
    place: str
    text: str
    """As the provider gave it."""


def origin_of(*facts: str) -> str:
    """The origin that these facts are: what must be the same for a proof to hold."""
    return sha256("\0".join(facts).encode()).hexdigest()[:_DIGITS]


def mark(dialect: str, origin: str) -> str:
    """What stands before the place of each proof."""
    return f"{dialect}:{origin}:"


def proof_of(signature: str) -> Proof | None:
    """The proof that a marked signature is; None for one without a mark."""
    parts = _MARKED.fullmatch(signature)
    return None if parts is None else Proof(parts[1], parts[2], parts[3], parts[4])
