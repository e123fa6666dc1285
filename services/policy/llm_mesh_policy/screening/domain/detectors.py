"""What screening looks for. Each detector is a bounded pattern, and a check that no pattern can make.

Bounds make streaming possible: whether something begins at a place is decided by at most `longest` bytes behind it, and by
nothing behind the first byte that the detector's alphabet lacks. Gaps and borders between texts count as neither.
"""

import re
import string
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from llm_mesh_policy.screening.domain.numbers import LONGEST_CARD, LONGEST_IBAN, access_key, card, email, iban, secret, ssn
from llm_mesh_policy.screening.domain.patterns import CARD, IBAN, SEPARATOR, SEPARATORS, compiled, options, tolerant, wrapped

_DIGITS = string.digits.encode()
_UPPER = string.ascii_uppercase.encode()
_WORD = string.ascii_letters.encode() + _DIGITS
_NO_DIGITS = bytes(set(range(256)) - set(_DIGITS))
BETWEEN = b"\x00\x02"
"""Gaps and borders."""
_DASHES_IN_UTF8 = (b"-", b"\xe2\x80", b"\xe2\x81", b"\xe2\x88", b"\xe3\x83", b"\xef\xb8", b"\xef\xb9", b"\xef\xbc", b"\xef\xbd")
"""How each character begins that is read as a dash."""
_NO_MARKS = bytes(set(range(256)) - {each[0] for each in _DASHES_IN_UTF8} - set(b"\\%"))
_RARE_MARKS = tuple({each[0] for each in _DASHES_IN_UTF8} - set(b"-") | set(b"\\%"))
"""Bytes without which the only dashes of a message are `-`. As numbers, which are looked for in a tenth of the time."""
_ESCAPED = (b"\\u", b"\\U", b"%2", b"%5")

Accepts = Callable[[bytes, int, int], int]
"""How much of a candidate, which stands in a text from one place to another, really is one; 0 for nothing."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One thing to find."""

    name: str
    pattern: Any
    source: bytes
    alphabet: bytes
    never_first: bytes
    """Bytes of the alphabet that no match begins with."""
    longest: int
    accepts: Accepts
    tail: bytes = b""
    """Bytes that belong to a match however many follow it."""
    hints: tuple[bytes, ...] = ()
    """Texts of which each match holds one; none: it may hold any."""
    fewest_digits: int = 0
    """How many digits each match holds at least."""
    fewest_dashes: int = 0
    """How many dashes each match holds at least."""
    groups: Any = None
    """Pattern of a run of bytes within which no match begins."""
    end: Any = None
    """Pattern of the end, where a match is only the beginning; everything up to it belongs to the match."""

    def may_occur(self, text: bytes) -> bool:
        """False only where the folded text has no match. Costs a fraction of the pattern, and keeps the interpreter's lock.

        The pattern's engine gives the lock up, and where other threads are busy has it back after milliseconds.
        """
        if b"\x00" in text or b"\x02" in text:
            text = text.translate(None, BETWEEN)
        if self.hints and not any(hint in text for hint in self.hints):
            return False
        return not self.fewest_digits or len(text.translate(None, _NO_DIGITS)) >= self.fewest_digits

    def may_occur_on_wire(self, raw: bytes) -> bool:
        """False only where a message, given as it is on the wire, has no match in any of its texts, nor across them."""
        if not self.fewest_dashes:
            return True
        for mark in _RARE_MARKS:
            if mark in raw:
                break
        else:  # as nearly always, and found without a walk over all bytes: the only dashes are `-`
            return _has(raw, b"-", self.fewest_dashes)
        marks = raw.translate(None, _NO_MARKS)
        if len(marks) < self.fewest_dashes and not (b"\\" in marks or b"%" in marks):
            return False
        if any(each in raw for each in _ESCAPED):
            return True
        return sum(raw.count(each) for each in _DASHES_IN_UTF8) >= self.fewest_dashes

    def undecided_from(self, text: bytes) -> int:
        """Where in an unfinished text something may begin that later text decides."""
        run = len(text.rstrip(self.alphabet))
        beyond = len(text) - self.longest - 1
        if run < beyond:
            gaps = text.count(b"\x00", run) + text.count(b"\x02", run)
            run = max(run, beyond if not gaps else _last(text, run, self.longest + 1))
        tail = text[run:]
        return len(text) - len(tail.lstrip(self.never_first))


def _has(text: bytes, mark: bytes, times: int) -> bool:
    """Whether a mark stands in a text so often. Where it is rare, this looks at far fewer bytes one by one than counting it."""
    at = -1
    for _ in range(times):
        at = text.find(mark, at + 1)
        if at < 0:
            return False
    return True


def _last(text: bytes, begin: int, visible: int) -> int:
    """Where the last so many bytes begin that are neither gaps nor borders."""

    def behind(place: int) -> int:
        return -len(text[place:].translate(None, BETWEEN))

    return begin + bisect_left(range(begin, len(text)), -visible, key=behind)


@cache
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
            fewest_dashes=10,
            end=rb"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----",
        ),
        _detector(
            "api_key",
            wrapped(
                rb"\b(?:sk-[A-Za-z0-9_-]{20}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40}|xox[abprs]-[A-Za-z0-9-]{20}"
                rb"|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{20}|mk_[A-Za-z0-9]{16}_[A-Za-z0-9]{32}|hf_[A-Za-z0-9]{30})"
            ),
            alphabet=_WORD + b"_-\r\n",
            starts=b"sgxAmh",
            longest=3 * 60,
            accepts=secret,
            hints=(b"sk-", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"xox", b"AIza", b"glpat-", b"mk_", b"hf_"),
            tail=_WORD + b"_-",
        ),
        _detector(
            "aws_access_key",
            rb"\b(?:AKIA|ASIA)(?:[0-9A-Z]{16}|(?:" + SEPARATOR + rb"[0-9A-Z]{4}){4})\b",
            alphabet=_UPPER + _DIGITS + SEPARATORS,
            starts=b"A",
            longest=36,
            accepts=access_key,
            hints=(b"AKIA", b"ASIA"),
        ),
        _detector(
            "jwt",
            wrapped(rb"\beyJ[A-Za-z0-9_-]{10,200}[.]{1}eyJ[A-Za-z0-9_-]{10}"),
            alphabet=_WORD + b"_-.\r\n",
            starts=b"e",
            longest=3 * 230,
            accepts=secret,
            hints=(b"eyJ",),
            tail=_WORD + b"_-.",
        ),
        _detector(
            "credit_card",
            CARD,
            alphabet=_DIGITS + SEPARATORS,
            starts=_DIGITS,
            longest=LONGEST_CARD,
            accepts=card,
            fewest_digits=13,
            groups=rb"[0-9]+",
        ),
        _detector(
            "iban",
            IBAN,
            alphabet=_UPPER + _DIGITS + SEPARATORS,
            starts=_UPPER,
            longest=LONGEST_IBAN,
            fewest_digits=2,
            accepts=iban,
        ),
        _detector(
            "us_ssn",
            rb"\b[0-9]{3}" + SEPARATOR + b"[0-9]{2}" + SEPARATOR + rb"[0-9]{4}\b",
            alphabet=_DIGITS + SEPARATORS,
            starts=_DIGITS,
            longest=17,
            accepts=ssn,
            fewest_digits=9,
        ),
        _detector(
            "email",
            rb"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,120}\.[A-Za-z]{2,24}\b",
            alphabet=_WORD + b"._%+-@",
            starts=_WORD,
            longest=212,
            hints=(b"@",),
            accepts=email,
        ),
    )


def names() -> tuple[str, ...]:
    """The names of all detectors."""
    return tuple(detector.name for detector in all_detectors())


def prefilter(detectors: Sequence[Detector]) -> Any:  # noqa: ANN401 (re2 has no types)
    """One automaton over all patterns: most texts have nothing, and need no second look."""
    together = re2.Set.SearchSet(options())
    for detector in detectors:
        together.Add(detector.source)
    together.Compile()
    return together


def _whole(text: bytes, begin: int, end: int) -> int:
    return len(text[begin:end].rstrip(BETWEEN))


def _detector(  # noqa: PLR0913 (each is one part of a row)
    name: str,
    source: bytes,
    *,
    alphabet: bytes,
    starts: bytes,
    longest: int,
    accepts: Accepts = _whole,
    tail: bytes = b"",
    hints: tuple[bytes, ...] = (),
    fewest_digits: int = 0,
    fewest_dashes: int = 0,
    groups: bytes = b"",
    end: bytes = b"",
) -> Detector:
    pattern = tolerant(source)
    alphabet += BETWEEN
    never_first = bytes(set(alphabet) - set(starts))
    together = re.compile(groups) if groups else None
    ending = compiled(tolerant(end)) if end else None
    return Detector(
        name,
        compiled(pattern),
        pattern,
        alphabet,
        never_first,
        longest,
        accepts,
        tail,
        hints,
        fewest_digits,
        fewest_dashes,
        together,
        ending,
    )
