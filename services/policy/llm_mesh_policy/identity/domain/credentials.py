"""Keys as callers send them: `mk_<public id>_<secret>`. Only a keyed hash of the secret is ever kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from typing import NamedTuple

_KEY = re.compile(r"mk_([a-z0-9]{16})_([A-Za-z0-9]{32,64})", re.ASCII)
_PUBLIC = string.ascii_lowercase + string.digits
_SECRET = string.ascii_letters + string.digits
_PUBLIC_LENGTH = 16
_SECRET_LENGTH = 43  # of 62 characters each: 256 bits
_HINT_LENGTH = 9
_LONGEST = 4096

BOOTSTRAP_PREFIX = "mb_"


class Credential(NamedTuple):
    """The parts of a key."""

    public_id: str
    secret: str

    @property
    def text(self) -> str:
        """The key as its owner keeps it."""
        return f"mk_{self.public_id}_{self.secret}"

    @property
    def hint(self) -> str:
        """Its begin, to recognise it by."""
        return self.text[:_HINT_LENGTH]


def parse(text: str) -> Credential | None:
    """The parts of a key; None for everything else."""
    if len(text) > _LONGEST:
        return None
    matched = _KEY.fullmatch(text)
    return Credential(*matched.groups()) if matched else None


def mint(public_id: str = "") -> Credential:
    """A fresh secret, for a fresh key or for one that is rotated."""
    public_id = public_id or "".join(secrets.choice(_PUBLIC) for _ in range(_PUBLIC_LENGTH))
    return Credential(public_id, "".join(secrets.choice(_SECRET) for _ in range(_SECRET_LENGTH)))


class Pepper:
    """The secret that secrets are hashed with. It is not in the database, so that a stolen database opens nothing."""

    def __init__(self, secret: bytes) -> None:
        self._begun = hmac.new(hmac.digest(secret, b"llm-mesh keys v1", "sha256"), digestmod="sha256")

    def digest(self, credential: Credential) -> bytes:
        """What is stored of a key."""
        return self._finished(f"{credential.public_id}\x00{credential.secret}".encode())

    def matches(self, credential: Credential, digest: bytes) -> bool:
        """Whether the digest is of this key. Takes the same time either way."""
        return hmac.compare_digest(self.digest(credential), digest)

    def check_digest(self) -> bytes:
        """By which a store knows whether its keys were made with this pepper."""
        return self._finished(b"check")

    def _finished(self, text: bytes) -> bytes:
        """Not by the one-shot function: it lets other threads run first, each time, and a busy store would make a request wait."""
        proof = self._begun.copy()
        proof.update(text)
        return proof.digest()


def token_digest(token: str) -> bytes:
    """What is kept of a bootstrap token; it is random enough for a plain hash."""
    return hashlib.sha256(b"llm-mesh bootstrap\x00" + token.encode("utf-8", "surrogatepass")).digest()
