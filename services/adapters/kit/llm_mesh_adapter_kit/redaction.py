"""The mesh's own credentials in what a provider says: found as they are, in any escape of JSON, percent-encoded or in base 64.

A credential shorter than eight bytes is not looked for: it is a placeholder such as `ollama`, and a word of ordinary answers.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from llm_mesh_adapter_kit.framing import Frame

SHORTEST: Final = 8
_STARS: Final = b"***"
_PERCENT: Final = re.compile("%[0-9A-F]{2}")
_HIGH: Final = 0xFFFF
_LAST_BACKSLASH: Final = rb'\\{8}(?=\\{3}")|\\{4}(?=\\")'
"""A backslash at the end of a text, in JSON within JSON: what stands behind it escapes the quotation mark, and is none of it."""
_MOST_FORMER: Final = 4
"""Credentials that are looked for although they are sent no more."""


class Redaction:
    """Replaces the credentials of one endpoint."""

    __slots__ = ("_escaped", "_plain")

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = dict.fromkeys(form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret))
        longest_first = sorted(forms, key=len, reverse=True)
        self._plain = tuple(form.encode() for form in longest_first)
        self._escaped = re.compile(b"|".join(_in_json(form) for form in longest_first)) if longest_first else None

    def bytes_of(self, data: bytes) -> bytes:
        """What was said, without credentials."""
        if self._escaped is None:
            return data
        if b"\\" not in data:  # nearly everything that arrives; without an escape in it plain comparisons tell
            for form in self._plain:
                if form in data:
                    break
            else:
                return data
        return self._escaped.sub(_STARS, data)

    def text_of(self, text: str) -> str:
        """The same of text, such as a header."""
        return self.bytes_of(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def events_of(self, events: list[Frame]) -> list[Frame]:
        """The same of events of a stream."""
        if self._escaped is None:
            return events
        for number, (content, name) in enumerate(events):
            data, shown = self.bytes_of(content), self.name_of(name)
            if data is not content or shown != name:
                events[number] = data, shown
        return events

    def name_of(self, name: str) -> str:
        """The same of the name of an event, which providers choose, too."""
        return name if len(name) < SHORTEST else self.text_of(name)


class GrowingRedaction(Redaction):
    """Learns further credentials while it is in use, such as tokens that a signer has fetched."""

    __slots__ = ("_learning", "_learnt")

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(secrets)
        self._learnt: dict[str, Redaction] = {}
        self._learning = asyncio.Lock()

    async def learn(self, secrets: Sequence[str]) -> None:
        """Take these out, too. Each pattern is made once, off the event loop; of those before, the last ones stay: answers still come."""
        if all(secret in self._learnt for secret in secrets):
            return
        async with self._learning:
            for secret in secrets:
                if secret not in self._learnt:
                    self._learnt[secret] = await asyncio.to_thread(Redaction, (secret,))
            former = [secret for secret in self._learnt if secret not in secrets]
            for secret in former[:-_MOST_FORMER]:
                del self._learnt[secret]

    def bytes_of(self, data: bytes) -> bytes:
        """See `Redaction`."""
        data = super().bytes_of(data)
        for learnt in tuple(self._learnt.values()):
            data = learnt.bytes_of(data)
        return data

    def events_of(self, events: list[Frame]) -> list[Frame]:
        """See `Redaction`."""
        return [(self.bytes_of(data), self.name_of(name)) for data, name in events]


def _forms(secret: str) -> Iterator[str]:
    """The forms in which a credential may be said."""
    yield secret
    yield (quoted := quote(secret, safe=""))
    yield _PERCENT.sub(lambda escape: escape[0].lower(), quoted)
    for offset in range(3):  # wherever it begins within what is encoded, such as behind `Bearer `
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield _stable(alphabet(b"\0" * offset + secret.encode()).decode(), offset, offset + len(secret.encode()))


def _stable(encoded: str, offset: int, size: int) -> str:
    """The part of a base 64 text that neither what stands before nor what stands behind changes."""
    begin = (0, 2, 3)[offset]
    return encoded[begin : size * 8 // 6]


def _in_json(form: str) -> bytes:
    """A pattern of a text within JSON, whatever of it is escaped; also within JSON within a text of JSON."""
    if form.endswith("\\"):
        return b"".join(_character(character) for character in form[:-1]) + b"(?:" + _LAST_BACKSLASH + b"|" + _character("\\") + b")"
    return b"".join(_character(character) for character in form)


def _character(character: str) -> bytes:
    """As it is, or escaped. Runs of backslashes are bounded: a search from each of many takes the square of their number."""
    units = _units(character)
    unicode = b"".join(rb"\\{1,16}u" + b"".join(_digit(digit) for digit in unit) for unit in units)
    plain = re.escape(character.encode())
    return b"(?:" + rb"\\{0,16}" * (character in '/"\\') + plain + b"|" + unicode + b")"


def _units(character: str) -> Sequence[str]:
    code = ord(character)
    if code <= _HIGH:
        return (f"{code:04x}",)
    encoded = character.encode("utf-16-be").hex()
    return encoded[:4], encoded[4:]


def _digit(digit: str) -> bytes:
    return f"[{digit}{digit.upper()}]".encode() if digit.isalpha() else digit.encode()
