"""What screening looks for. Each detector is a bounded pattern, and a check that no pattern can make.

Bounds make streaming possible: whether something begins at a place is decided by at most `longest` bytes behind it, and by
nothing behind the first byte that the detector's alphabet lacks.
"""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import re2
from stdnum import iban
from stdnum.us import ssn

_DIGITS = string.digits.encode()
_UPPER = string.ascii_uppercase.encode()
_WORD = string.ascii_letters.encode() + _DIGITS
_NO_DIGITS = bytes(set(range(256)) - set(_DIGITS))
_CARD_LENGTHS = {2: (16,), 3: (14, 15, 16), 4: (13, 16, 19), 5: (16,), 6: (16, 17, 18, 19)}
"""By the first digit, as issuers number them."""
_VALUES = bytes.maketrans(_DIGITS, bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
"""Luhn's sum over whole bytes: columns of numbers are full of candidates, and each costs a microsecond instead of ten."""
_FEWEST_IBAN_CHARACTERS = 15


@dataclass(frozen=True, slots=True)
class Detector:
    """One thing to find. `accepts` answers how much of a candidate really is one, 0 for nothing."""

    name: str
    pattern: Any
    source: bytes
    alphabet: bytes
    never_first: bytes
    """Bytes of the alphabet that no match begins with."""
    longest: int
    accepts: Callable[[bytes], int]
    tail: bytes = b""
    """Bytes that belong to a match however many follow it."""
    hints: tuple[bytes, ...] = ()
    """Texts of which each match holds one; none: it may hold any."""
    fewest_digits: int = 0
    """How many digits each match holds at least."""
    end: Any = None
    """Pattern of the end, where a match is only the beginning; everything up to it belongs to the match."""

    def may_occur(self, text: bytes) -> bool:
        """False only where the text has no match. Costs a fraction of the pattern, and keeps the interpreter's lock.

        The pattern's engine gives the lock up, and where other threads are busy has it back after milliseconds.
        """
        if self.hints and not any(hint in text for hint in self.hints):
            return False
        return not self.fewest_digits or len(text.translate(None, _NO_DIGITS)) >= self.fewest_digits

    def undecided_from(self, text: bytes) -> int:
        """Where in an unfinished text something may begin that later text decides."""
        run = len(text.rstrip(self.alphabet))
        run = max(run, len(text) - self.longest - 1)
        tail = text[run:]
        return len(text) - len(tail.lstrip(self.never_first))


def all_detectors() -> tuple[Detector, ...]:
    """Every detector, in the order in which they win where two begin at one place."""
    return (
        _detector(
            "private_key",
            rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----",
            alphabet=_UPPER + _DIGITS + b"- ",
            starts=b"-",
            longest=80,
            hints=(b"-----BEGIN ",),
            end=rb"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----",
        ),
        _detector(
            "api_key",
            rb"\b(?:sk-[A-Za-z0-9_-]{20}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40}|xox[abprs]-[A-Za-z0-9-]{20}"
            rb"|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{20}|mk_[A-Za-z0-9]{16}_[A-Za-z0-9]{32}|hf_[A-Za-z0-9]{30})",
            alphabet=_WORD + b"_-",
            starts=b"sgxAmh",
            longest=60,
            hints=(b"sk-", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"xox", b"AIza", b"glpat-", b"mk_", b"hf_"),
            tail=_WORD + b"_-",
        ),
        _detector(
            "aws_access_key",
            rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
            alphabet=_UPPER + _DIGITS,
            starts=b"A",
            longest=20,
            hints=(b"AKIA", b"ASIA"),
        ),
        _detector(
            "jwt",
            rb"\beyJ[A-Za-z0-9_-]{10,200}\.eyJ[A-Za-z0-9_-]{10}",
            alphabet=_WORD + b"_-.",
            starts=b"e",
            longest=230,
            hints=(b"eyJ",),
            tail=_WORD + b"_-.",
        ),
        _detector(
            "credit_card",
            rb"\b(?:[0-9][ -]?){12,18}[0-9]\b",
            alphabet=_DIGITS + b" -",
            starts=_DIGITS,
            longest=37,
            accepts=_card,
            fewest_digits=13,
        ),
        _detector(
            "iban",
            rb"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b",
            alphabet=_UPPER + _DIGITS + b" ",
            starts=_UPPER,
            longest=64,
            fewest_digits=2,
            accepts=_iban,
        ),
        _detector(
            "us_ssn",
            rb"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
            alphabet=_DIGITS + b"-",
            starts=_DIGITS,
            longest=11,
            accepts=_ssn,
            hints=(b"-",),
            fewest_digits=9,
        ),
        _detector(
            "email",
            rb"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,120}\.[A-Za-z]{2,24}\b",
            alphabet=_WORD + b"._%+-@",
            starts=_WORD,
            longest=212,
            hints=(b"@",),
        ),
    )


def names() -> tuple[str, ...]:
    """The names of all detectors."""
    return tuple(detector.name for detector in all_detectors())


def prefilter(detectors: Sequence[Detector]) -> Any:  # noqa: ANN401 (re2 has no types)
    """One automaton over all patterns: most texts have nothing, and need no second look."""
    together = re2.Set.SearchSet(_options())
    for detector in detectors:
        together.Add(detector.source)
    together.Compile()
    return together


def _detector(  # noqa: PLR0913 (each is one part of a row)
    name: str,
    source: bytes,
    *,
    alphabet: bytes,
    starts: bytes,
    longest: int,
    accepts: Callable[[bytes], int] = len,
    tail: bytes = b"",
    hints: tuple[bytes, ...] = (),
    fewest_digits: int = 0,
    end: bytes = b"",
) -> Detector:
    compiled = re2.compile(source, _options())
    ending = re2.compile(end, _options()) if end else None
    return Detector(
        name, compiled, source, alphabet, bytes(set(alphabet) - set(starts)), longest, accepts, tail, hints, fewest_digits, ending
    )


def _options() -> Any:  # noqa: ANN401 (re2 has no types)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes: offsets count them, and all patterns are ASCII
    options.log_errors = False
    return options


def _card(candidate: bytes) -> int:
    digits = candidate.translate(_VALUES, b" -")
    likely = len(digits) in _CARD_LENGTHS.get(digits[0], ()) and len(set(digits)) > 1
    return len(candidate) if likely and (sum(digits[::-2]) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0 else 0


def _ssn(candidate: bytes) -> int:
    return len(candidate) if ssn.is_valid(candidate.decode()) else 0


def _iban(candidate: bytes) -> int:
    """Words in capitals may follow an IBAN, so each shorter beginning that ends at a space is tried too."""
    length = len(candidate)
    while length >= _FEWEST_IBAN_CHARACTERS:
        if iban.is_valid(candidate[:length].decode()):
            return length
        length = candidate.rfind(b" ", 0, length)
    return 0
