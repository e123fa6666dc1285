"""Patterns that read over what is no part of a secret: gaps and the borders between neighbouring texts."""

import re
from typing import Any

import re2

_ATOM = re.compile(rb"\\b|\\.|\[[^\]]*\]|[()|?*+^]|\(\?:|\{[0-9]+(?:,[0-9]*)?\}|.", re.DOTALL)
_BETWEEN = rb"[\x00\x02]*"
SEPARATORS = b" \t\r\n./\\_:-"
"""What people and layouts put between the groups of a number. Neither comma nor semicolon nor bar: those part the items of a list."""
SEPARATOR = rb"[ \t\r\n./\\_:-]{1,4}"
_CARD_IN_ANY_GROUPS = rb"[0-9](?:[ -]?[0-9]){12,18}"
PRINTED_CARD = (
    rb"(?:[0-9]{4}(?:" + SEPARATOR + rb"[0-9]{4}){3}(?:" + SEPARATOR + rb"[0-9]{1,3})?"
    rb"|[0-9]{4}" + SEPARATOR + rb"[0-9]{6}" + SEPARATOR + rb"[0-9]{4,5})"
)
"""Groups as cards are printed: by those alone a column of figures does not become a card."""
CARD = _CARD_IN_ANY_GROUPS + b"|" + PRINTED_CARD
PRINTED_IBAN = rb"\b[A-Z]{2}[0-9]{2}(?:" + SEPARATOR + rb"[A-Z0-9]{4}){2,7}(?:" + SEPARATOR + rb"[A-Z0-9]{1,4})?"
IBAN = rb"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}|" + PRINTED_IBAN
_SYNTAX = frozenset({b"(?:", b"(", b")", b"|", b"?", b"*", b"+", b"\\b"})


def tolerant(source: bytes) -> bytes:
    """The pattern with any number of gaps and borders behind each character, but none at its end."""
    parts: list[bytes] = []
    for token in _tokens(source):
        plain = token in _SYNTAX or token.startswith(b"{")
        parts.append(token if plain else b"(?:" + token + _BETWEEN + b")")
    return b"".join(parts)


def wrapped(source: bytes) -> bytes:
    """The pattern with a line break behind any character of a repeated class: long keys are broken where a line ends."""
    return re.sub(rb"(\[[^\]]*\])(\{[0-9,]+\})", rb"(?:\1(?:\r?\n)?)\2", source)


def compiled(source: bytes) -> Any:  # noqa: ANN401 (re2 has no types)
    """The pattern over bytes."""
    return re2.compile(source, options())


def options() -> Any:  # noqa: ANN401 (re2 has no types)
    """Bytes are bytes: offsets count them, and all patterns are ASCII."""
    result = re2.Options()
    result.encoding = re2.Options.Encoding.LATIN1
    result.log_errors = False
    return result


def _tokens(source: bytes) -> list[bytes]:
    tokens: list[bytes] = []
    at = 0
    while at < len(source):
        token = b"(?:" if source.startswith(b"(?:", at) else _next(source, at)
        tokens.append(token)
        at += len(token)
    return tokens


def _next(source: bytes, at: int) -> bytes:
    match = _ATOM.match(source, at)
    if match is None:
        raise ValueError(f"no pattern of bytes: {source!r}")
    return match[0]
