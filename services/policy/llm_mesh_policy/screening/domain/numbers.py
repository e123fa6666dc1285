"""Checks that no pattern can make: check digits, lengths that a country or an issuer fixes, and where a candidate really ends."""

import re
import string
from functools import cache
from typing import Any

from stdnum import iban as stdnum_iban
from stdnum import numdb
from stdnum.us import ssn as stdnum_ssn

from llm_mesh_policy.screening.domain.patterns import PRINTED_CARD, PRINTED_IBAN, SEPARATORS, compiled, tolerant

LONGEST_CARD = 38
"""19 digits, a separator between each two, and the byte that shows that no digit follows."""
LONGEST_IBAN = 67
"""34 characters in groups of four, four separators between each two, and the byte that shows that none follows."""
_BETWEEN = b"\x00\x02"
_APART = SEPARATORS + _BETWEEN
_TIGHT = b"0123456789 -" + _BETWEEN
_PRINTED_CARD, _PRINTED_IBAN = compiled(tolerant(PRINTED_CARD)), compiled(tolerant(PRINTED_IBAN))
_ISSUERS = (
    b"\x02\x02",
    b"\x02\x03",
    b"\x02\x04",
    b"\x02\x05",
    b"\x02\x06",
    b"\x02\x07",
    b"\x03\x00",
    *(bytes((3, n)) for n in range(4, 10)),
)
"""Values of the first two digits of a card whose first is 2 or 3."""
_ZERO, _NINE = ord("0"), ord("9")
_CARD_LENGTHS = {2: (16,), 3: (16, 15, 14), 4: (19, 16, 13), 5: (16,), 6: (19, 18, 17, 16)}
"""By the first digit, as issuers number them."""
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
"""Luhn's sum over whole bytes: columns of numbers are full of candidates, and each costs a microsecond instead of ten."""
_CHARACTERS = re.compile(rb"([0-9]+)!?[a-z]")
_LONGEST_IBAN = 34
_MOVED = 4
_AS_DIGITS = {ord(letter): str(number) for number, letter in enumerate(string.ascii_uppercase, 10)}
_COUNTRY = 2
_EMAIL = compiled(tolerant(rb"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,120}\.[A-Za-z]{2,24}"))


def card(text: bytes, begin: int, end: int) -> int:
    """A card begins and ends where a group of digits does: what stands before or behind it, such as a date, hides it from nobody."""
    if begin and _ZERO <= text[begin - 1] <= _NINE:
        return 0
    lengths = _CARD_LENGTHS.get(text[begin] - _ZERO)
    if lengths is None:
        return 0
    return _card(text, begin, end, lengths) or _card(text, begin, _longer(_PRINTED_CARD, text, begin, end), lengths)


def _longer(printed: Any, text: bytes, begin: int, end: int) -> int:  # noqa: ANN401 (re2 has no types)
    """Where the groups end that begin at a place, if behind what was looked at; else its beginning."""
    match = printed.match(text, begin)
    return match.end() if match is not None and match.end() > end else begin


def _card(text: bytes, begin: int, end: int, lengths: tuple[int, ...]) -> int:
    candidate = text[begin:end]
    digits = candidate.translate(_VALUES, _APART)
    if candidate.translate(None, _TIGHT) and digits[0] in (2, 3) and digits[:2] not in _ISSUERS:
        return 0  # of a column of years, say
    places = _places(candidate, len(digits))
    for length in lengths:
        if length <= len(digits) and len(set(digits[:length])) > 1 and _luhn(digits[:length]):
            last = begin + places[length - 1]
            if last + 1 >= len(text) or not _ZERO <= text[last + 1] <= _NINE:
                return last + 1 - begin
    return 0


def _places(candidate: bytes, digits: int) -> range | list[int]:
    if digits == len(candidate):
        return range(digits)
    return [place for place, each in enumerate(candidate) if _ZERO <= each <= _NINE]


def _luhn(digits: bytes) -> bool:
    return (sum(digits[::-2]) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def iban(text: bytes, begin: int, end: int) -> int:
    """Words in capitals may follow an IBAN: its country says how long it is."""
    return _iban(text, begin, end) or _iban(text, begin, _longer(_PRINTED_IBAN, text, begin, end))


def _iban(text: bytes, begin: int, end: int) -> int:
    candidate = text[begin:end]
    plain = candidate.translate(None, _APART)
    length = _iban_length(plain[:_COUNTRY])
    if not length or len(plain) < length or not _has_check_digits(plain[:length].decode()):
        return 0
    places = [place for place, each in enumerate(candidate) if each not in _APART]
    last = begin + places[length - 1]
    if last + 1 < len(text) and text[last + 1 : last + 2].isalnum():
        return 0
    return last + 1 - begin


def ssn(text: bytes, begin: int, end: int) -> int:
    """A social security number of the United States, with the same between all groups."""
    candidate = text[begin:end].rstrip(_BETWEEN)
    plain = candidate.translate(None, _BETWEEN)
    digits = plain.translate(None, SEPARATORS).decode()
    between = plain[3 : 3 + (len(plain) - len(digits)) // 2]
    alike = plain == between.join((plain[:3], digits[3:5].encode(), plain[-4:]))
    return len(candidate) if alike and stdnum_ssn.is_valid(f"{digits[:3]}-{digits[3:5]}-{digits[5:]}") else 0


def secret(text: bytes, begin: int, end: int) -> int:
    """One that is broken by the end of a line has a digit: else it is words."""
    candidate = text[begin:end].rstrip(_BETWEEN + b"\r\n")
    return len(candidate) if b"\n" not in candidate or _has_digit(candidate) else 0


def access_key(text: bytes, begin: int, end: int) -> int:
    """One in groups has a digit: else it is words."""
    candidate = text[begin:end].rstrip(_BETWEEN)
    return len(candidate) if candidate.translate(None, _BETWEEN).isalnum() or _has_digit(candidate) else 0


def _has_digit(candidate: bytes) -> bool:
    return any(_ZERO <= each <= _NINE for each in candidate)


def email(text: bytes, begin: int, end: int) -> int:
    """An address goes on in the next text only where neither text has a whole one: the word before or behind it is none of it."""
    candidate = text[begin:end].rstrip(_BETWEEN)
    border = candidate.find(b"\x02")
    while border >= 0:
        if _EMAIL.fullmatch(candidate[:border].rstrip(_BETWEEN)):
            return len(candidate[:border].rstrip(_BETWEEN))
        if _EMAIL.fullmatch(candidate[border:].lstrip(_BETWEEN)):
            return 0
        border = candidate.find(b"\x02", border + 1)
    return len(candidate)


def _has_check_digits(text: str) -> bool:
    """The sum of ISO 7064 first: it is quick, and nearly always wrong where the text is none."""
    return int((text[_MOVED:] + text[:_MOVED]).translate(_AS_DIGITS)) % 97 == 1 and bool(stdnum_iban.is_valid(text))


@cache
def _iban_length(country: bytes) -> int:
    """0 for what is no country; as many entries as there are pairs of letters."""
    known = numdb.get("iban").info(country.decode())
    structure = str(known[0][1].get("bban", "")) if known else ""
    length = sum(int(each) for each in _CHARACTERS.findall(structure.encode()))
    return 4 + length if 0 < length <= _LONGEST_IBAN else 0
