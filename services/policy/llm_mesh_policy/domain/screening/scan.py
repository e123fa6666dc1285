"""One pass over one text, whole or in pieces. What is released does not depend on where the pieces were cut."""

from collections.abc import Mapping, Sequence
from typing import Any

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.domain.screening.detectors import Detector, prefilter

LOGGED = policy_pb2.FINDING_ACTION_LOGGED
MASKED = policy_pb2.FINDING_ACTION_MASKED
BLOCKED = policy_pb2.FINDING_ACTION_BLOCKED

_STEP = 4096
_LONGEST_END = 96
_LONGEST_SECRET = 16 * 1024
_HIGH_BITS, _CONTINUES = 0xC0, 0x80


class Watchlist:
    """Detectors that are on for somebody, with what is done about findings. Made once per set of rules."""

    def __init__(self, detectors: Sequence[Detector], actions: Mapping[str, policy_pb2.FindingAction]) -> None:
        self.detectors = tuple(detector for detector in detectors if detector.name in actions)
        self.actions = dict(actions)
        self._prefilter = prefilter(self.detectors) if self.detectors else None

    def may_find(self, text: bytes) -> bool:
        """False only where no detector's pattern occurs in the text, or in any part of it."""
        for detector in self.detectors:  # noqa: SIM110 - a generator costs more than the whole loop
            if detector.may_occur(text):
                return True
        return False

    def suspects(self, text: bytes) -> Sequence[Detector]:
        """The detectors whose pattern occurs in the text."""
        if self._prefilter is None or not self.may_find(text):
            return ()
        matched = self._prefilter.Match(text)
        return [self.detectors[index] for index in sorted(matched)] if matched else ()

    def __bool__(self) -> bool:
        return bool(self.detectors)


class Scan:
    """Takes text, gives back what may be released. It holds back what later text could still make a finding, and no more."""

    def __init__(self, watchlist: Watchlist, field: str) -> None:
        self._watchlist = watchlist
        self._field = field
        self._rest = b""
        self._before = b""
        self._offset = 0
        self._inside: tuple[Detector, int, int] | None = None
        self.findings: list[policy_pb2.Finding] = []
        self.blocked = False

    @property
    def decided(self) -> int:
        """The byte up to which everything is released or withheld for good."""
        return self._offset

    @property
    def told(self) -> int:
        """How many findings are whole."""
        return len(self.findings) - (self._inside is not None)

    def push(self, text: bytes, *, final: bool) -> bytes:
        """The next piece; what may be released now. After a block nothing is.

        A long piece is taken in short ones, which changes nothing, and keeps the work in proportion to the length.
        """
        released: list[bytes] = []
        last = max(len(text) - 1, 0) // _STEP * _STEP
        for begin in range(0, last + 1, _STEP):
            self._rest += text[begin : begin + _STEP]
            self._work(released, final=final and begin == last)
        return b"".join(released)

    def _work(self, released: list[bytes], *, final: bool) -> None:
        while not self.blocked:
            if self._inside is not None and not self._leave(released, final=final):
                break
            if not self._advance(released, final=final):
                break

    def _advance(self, released: list[bytes], *, final: bool) -> bool:
        """Releases up to the next finding, which is begun; False where none is decided yet."""
        rest = self._rest
        limit = len(rest) if final else min((each.undecided_from(rest) for each in self._watchlist.detectors), default=len(rest))
        limit = _boundary(rest, limit)
        found = self._next(limit)
        if found is None:
            released.append(self._take(limit))
            return False
        start, length, detector = found
        released.append(self._take(start))
        action = self._watchlist.actions[detector.name]
        self._begin(detector, length, action)
        if action == LOGGED:
            released.append(self._take(length))
        else:
            self._take(length)
            if action == BLOCKED:
                self.blocked = True
            else:
                released.append(f"[{detector.name}]".encode())
        return True

    def _next(self, limit: int) -> tuple[int, int, Detector] | None:
        """The first finding that begins before the limit; where several begin at one place, the first detector's."""
        text, shift = self._before + self._rest, len(self._before)
        best: tuple[int, int, Detector] | None = None
        for detector in self._watchlist.suspects(text):
            end = best[0] if best else limit
            found = _first(detector, text, shift, shift + end)
            if found is not None:
                best = (found[0] - shift, found[1], detector)
        return best

    def _begin(self, detector: Detector, length: int, action: policy_pb2.FindingAction) -> None:
        finding = policy_pb2.Finding(detector=detector.name, action=action, field=self._field, start=self._offset)
        finding.end = self._offset + length
        self.findings.append(finding)
        if action != BLOCKED and (detector.tail or detector.end is not None):
            self._inside = (detector, self._offset + length, len(self.findings) - 1)

    def _leave(self, released: list[bytes], *, final: bool) -> bool:
        """Passes over the rest of a finding; False where it may go on in later text."""
        assert self._inside is not None  # noqa: S101 (for the type checker)
        detector, begin, number = self._inside
        length, done = _tail(detector, self._rest, begin + _LONGEST_SECRET - self._offset, final=final)
        passed = self._take(length)
        if self.findings[number].action == LOGGED:
            released.append(passed)
        self.findings[number].end = self._offset
        if done:
            self._inside = None
        return done

    def _take(self, length: int) -> bytes:
        taken = self._rest[:length]
        if taken:
            self._rest = self._rest[length:]
            self._before = taken[-1:]
            self._offset += length
        return taken


def _first(detector: Detector, text: bytes, begin: int, end: int) -> tuple[int, int] | None:
    """The first accepted match that begins in the range: its place and length."""
    at = begin
    while at < end:
        match: Any = detector.pattern.search(text, at)
        if match is None or match.start() >= end:
            return None
        length = detector.accepts(match.group())
        if length:
            return match.start(), length
        at = match.start() + 1
    return None


def _tail(detector: Detector, rest: bytes, room: int, *, final: bool) -> tuple[int, bool]:
    """How much of the text still belongs to a finding, and whether that is all of it."""
    if detector.end is None:
        length = len(rest) - len(rest.lstrip(detector.tail))
        return length, final or length < len(rest)
    within = rest[:room]
    match = detector.end.search(within)
    if match is not None:
        return match.end(), True
    if final or len(rest) >= room:
        return _boundary(rest, len(within)), True
    return _boundary(rest, max(0, len(rest) - _LONGEST_END)), False


def _boundary(text: bytes, at: int) -> int:
    """The place itself, or the nearest one before it that does not cut a character of UTF-8."""
    while 0 < at < len(text) and text[at] & _HIGH_BITS == _CONTINUES:
        at -= 1
    return at
