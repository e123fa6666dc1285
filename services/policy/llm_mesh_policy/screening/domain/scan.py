"""One pass over one text, whole or in pieces. What is released does not depend on where the pieces were cut.

The text is read as `characters` says, in one view or two; findings are places of the text itself. Several texts may be one text with
borders between them: a finding may go on across a border, and may begin or end at one.
"""

import re
from collections.abc import Iterator

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.screening.domain.characters import GAP, JOINT, WALL, View, decided_length, decoded_view_of, view_of
from llm_mesh_policy.screening.domain.detectors import Detector
from llm_mesh_policy.screening.domain.watchlist import BLOCKED, LOGGED, MASKED, UNDECODABLE, Watchlist

__all__ = ["BLOCKED", "LOGGED", "MASKED", "UNDECODABLE", "Scan", "TextFinding", "Watchlist"]

STEP = 4096
_LONGEST_SECRET = 16 * 1024
_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_NUMBER = "0123456789+-.eE"
_WALL = ord(WALL)
_KEY_GOES_ON = re.compile(rb"[\x00\x02\s]*[A-Za-z0-9+/=]{16,}[A-Za-z0-9+/=\r\n\x00]*")
_ONE_CASE = rb"(?:[A-Za-z][a-z]{0,23}(?:-[a-z]{1,23})?|[A-Z]{1,23})(?![A-Za-z0-9_-])"
"""A word of one case, such as `What` or `follow-up`."""
_SECRET_GOES_ON = re.compile(
    rb"[\x00\x02]+(?:\.(?=[A-Za-z0-9_\x02-])|(?=[A-Za-z]{1,3}\x02)|(?=[A-Za-z]{1,24}\x02+(?!" + _ONE_CASE + rb")[A-Za-z0-9_-]{12})"
    rb"|(?!" + _ONE_CASE + rb")(?=[A-Za-z0-9_-]))"
)
"""What follows a border is no word of one case; or it begins as no word does; or it is letters alone, with more behind."""
_LOOK_AHEAD = 64


class TextFinding:
    """A finding in the text: from one character to another, and where that is in bytes."""

    __slots__ = ("action", "detector", "end", "end_byte", "field", "start", "start_byte")

    def __init__(self, detector: Detector, action: policy_pb2.FindingAction, field: str, start: int, start_byte: int) -> None:
        self.detector = detector
        self.action = action
        self.field = field
        self.start = self.end = start
        self.start_byte = self.end_byte = start_byte

    @property
    def finding(self) -> policy_pb2.Finding:
        """As the contract has it."""
        return policy_pb2.Finding(
            detector=self.detector.name, action=self.action, field=self.field, start=self.start_byte, end=self.end_byte
        )


class _Window:
    """A view of what is not decided yet, behind the byte before it."""

    __slots__ = ("before", "shift", "suspects", "text", "view")

    def __init__(self, view: View, before: bytes, watchlist: Watchlist) -> None:
        self.view = view
        self.before = before
        self.shift = len(before)
        self.text = before + view.text
        self.suspects = watchlist.suspects(self.text)

    def byte_before(self, place: int) -> bytes:
        """The byte before a place."""
        index = self.view.index(place)
        return self.view.text[index - 1 : index] if index else self.before

    def first(self, begin: int, end: int) -> tuple[int, int, Detector] | None:
        """The first finding that begins between two places; where several begin at one, the first detector's."""
        best: tuple[int, int, Detector] | None = None
        low, high = self.shift + self.view.index(begin), self.shift + self.view.index(end)
        for detector in self.suspects:
            match = _first(detector, self.text, low, high)
            if match is not None:
                high = match[0]
                start = self.view.place(match[0] - self.shift)
                best = (start, max(start + 1, self.view.place(match[0] + match[1] - self.shift)), detector)
        return best


class Scan:
    """Takes text, gives back what may be released. It holds back what later text could still make a finding, and no more.

    In JSON text, escapes hide nothing, no finding goes beyond its string, and what replaces a number is a string.
    """

    def __init__(self, watchlist: Watchlist, field: str, *, json: bool = False, borders: bool = False) -> None:
        self._watchlist = watchlist
        self._field = field
        self._json = json
        self._borders = borders
        self._rest = ""
        self._marked = ""
        """The rest as far as it can be read, with the structure of JSON marked."""
        self._at = 0
        """How much of the rest is decided."""
        self._windows: list[_Window] = []
        """The decoded reading first, where there are two."""
        self._before = [b"", b""]
        self._in_string = False
        self._bytes = 0
        self._characters = 0
        self._inside: TextFinding | None = None
        self._resume = 0
        self.findings_so_far: list[TextFinding] = []
        self.blocked = False

    @property
    def findings(self) -> list[policy_pb2.Finding]:
        """What was found."""
        return [each.finding for each in self.findings_so_far]

    @property
    def decided(self) -> int:
        """The byte up to which everything is released or withheld for good."""
        return self._bytes

    @property
    def held(self) -> int:
        """How many characters wait for a decision."""
        return len(self._rest)

    @property
    def whole(self) -> int:
        """How many findings have ended: no later text belongs to them."""
        return len(self.findings_so_far) - (self._inside is not None)

    def taken(self) -> list[TextFinding]:
        """The findings that are whole, which are forgotten here."""
        count = self.whole
        ended, self.findings_so_far = self.findings_so_far[:count], self.findings_so_far[count:]
        return ended

    def push(self, text: str, *, final: bool) -> str:
        """The next piece; what may be released now. After a block nothing is.

        A long piece is taken in short ones, which changes nothing, and keeps the work in proportion to the length.
        """
        return "".join(self.steps(text, final=final))

    def steps(self, text: str, *, final: bool) -> Iterator[str]:
        """The same in steps, each of which takes a moment."""
        last = max(len(text) - 1, 0) // STEP * STEP
        for begin in range(0, last + 1, STEP):
            self._rest += text[begin : begin + STEP]
            ends = final and begin == last
            if self.blocked or (len(self._rest) < self._resume and not ends):
                continue
            released: list[str] = []
            self._read(final=ends)
            self._work(released, final=ends)
            self._forget()
            self._resume = 2 * len(self._rest) if len(self._rest) > 2 * STEP else 0
            yield "".join(released)

    def _read(self, *, final: bool) -> None:
        """Reads the rest as far as later text cannot change how it reads."""
        marked = self._rest
        if not self._borders and (WALL in marked or JOINT in marked):
            marked = marked.replace(WALL, GAP).replace(JOINT, GAP)
        if self._json and '"' in marked:
            marked = _QUOTE.sub(_marked_quote, marked)
        if not final:
            marked = marked[: self._readable(marked)]
        self._marked = marked
        base = view_of(marked)
        decoded = decoded_view_of(marked)
        if decoded is None and self._before[0] != self._before[1]:
            decoded = base
        self._windows = [_Window(base, self._before[1], self._watchlist)]
        if decoded is not None:
            self._windows.insert(0, _Window(decoded, self._before[0], self._watchlist))

    def _readable(self, marked: str) -> int:
        length = decided_length(marked)
        if not self._json:
            return length
        while not self._in_string ^ bool(marked.count(WALL, 0, length) % 2):  # a number waits for its end, as an escape does
            shorter = decided_length(marked[:length].rstrip(_NUMBER))
            if shorter == length:
                break
            length = shorter
        return length

    def _string_at(self, place: int) -> bool:
        """Whether a place of the rest stands in a string of JSON."""
        return self._in_string ^ bool(self._marked.count(WALL, 0, place) % 2)

    def _work(self, released: list[str], *, final: bool) -> None:
        limit = self._limit(final=final)
        while not self.blocked:
            if self._inside is not None and not self._leave(released, final=final):
                break
            best = None if limit <= self._at else self._next(limit)
            if best is None:
                released.append(self._take(max(self._at, limit)))
                break
            self._find(released, *best)

    def _find(self, released: list[str], start: int, end: int, detector: Detector) -> None:
        """Releases what stands before a finding, and begins it."""
        quoted = False
        if self._json and not self._string_at(start):
            start, end, quoted = self._whole_number(start, end)
        released.append(self._take(start))
        action = self._watchlist.actions[detector.name]
        passed = self._begin(detector, end, action)
        if action == LOGGED:
            released.append(passed)
        elif action == BLOCKED:
            self.blocked = True
        else:
            released.append(f'"[{detector.name}]"' if quoted else f"[{detector.name}]")

    def _limit(self, *, final: bool) -> int:
        length = len(self._marked)
        if final:
            return length
        limit = length
        for window in self._windows:
            for detector in self._watchlist.detectors:
                limit = min(limit, window.view.place(detector.undecided_from(window.view.text)))
        return self._between(limit) if limit < length else length

    def _between(self, limit: int) -> int:
        """The last place up to the limit that is within no escape and no number of JSON: those are read anew, and only as a whole."""
        while True:
            aligned = self._windows[0].view.begin_of(limit)
            if self._json and not self._string_at(aligned):
                while self._number_goes_on(aligned):
                    aligned -= 1
            if aligned == limit:
                return limit
            limit = aligned

    def _next(self, limit: int) -> tuple[int, int, Detector] | None:
        """The first finding that begins before the limit."""
        best: tuple[int, int, Detector] | None = None
        for window in self._windows:
            match = window.first(self._at, best[0] if best else limit)
            best = match or best
        return best

    def _whole_number(self, start: int, end: int) -> tuple[int, int, bool]:
        """The number of JSON that a finding is part of."""
        while start > self._at and self._number_goes_on(start):
            start -= 1
        while self._number_goes_on(end):
            end += 1
        return start, end, all(each in _NUMBER for each in self._marked[start:end])

    def _number_goes_on(self, place: int) -> bool:
        """Whether the characters before and at a place may belong to one number of JSON."""
        return 0 < place < len(self._marked) and self._marked[place - 1] in _NUMBER and self._marked[place] in _NUMBER

    def _begin(self, detector: Detector, end: int, action: policy_pb2.FindingAction) -> str:
        finding = TextFinding(detector, action, self._field, self._characters, self._bytes)
        self.findings_so_far.append(finding)
        passed = self._take(end)
        finding.end, finding.end_byte = self._characters, self._bytes
        if action != BLOCKED and (detector.tail or detector.end is not None):
            self._inside = finding
        return passed

    def _leave(self, released: list[str], *, final: bool) -> bool:
        """Passes over the rest of a finding; False where it may go on in later text."""
        inside = self._inside
        assert inside is not None  # noqa: S101 (for the type checker)
        view = self._windows[0].view
        begin = view.index(self._at)
        room = self._at + inside.start + _LONGEST_SECRET - self._characters
        full = room <= len(self._marked)
        bound = view.index(min(len(self._marked), max(self._at, room))) - begin
        length, done = _tail(inside.detector, view.text[begin:], bound, final=final, full=full)
        passed = self._take(max(self._at, view.place(begin + length)))
        if inside.action == LOGGED:
            released.append(passed)
        inside.end, inside.end_byte = self._characters, self._bytes
        if done:
            self._inside = None
        return done

    def _take(self, place: int) -> str:
        """What stands before a place and is not decided yet: it is now."""
        taken = self._rest[self._at : place]
        self._at = place
        self._characters += len(taken)
        self._bytes += len(taken) if taken.isascii() else len(taken.encode())
        return taken

    def _forget(self) -> None:
        """Lets go of what is decided."""
        if self._at:
            if self._json:
                self._in_string = self._string_at(self._at)
            self._before = [self._windows[0].byte_before(self._at), self._windows[-1].byte_before(self._at)]
            self._rest = self._rest[self._at :]
            self._at = 0


def _first(detector: Detector, text: bytes, begin: int, end: int) -> tuple[int, int] | None:
    """The first accepted match that begins in the range: its place and length."""
    at = begin
    while at < end:
        match = detector.pattern.search(text, at)
        if match is None:
            return None
        start, stop = match.span()
        if start >= end:
            return None
        length = detector.accepts(text, start, stop)
        if length:
            return start, length
        at = start + 1
        if detector.groups:  # none begins within a group, and long ones would be looked at from each of their bytes
            at = max(at, detector.groups.match(text, start).end())
    return None


def _tail(detector: Detector, text: bytes, room: int, *, final: bool, full: bool) -> tuple[int, bool]:
    """How much of the text still belongs to a finding, and whether that is all of it."""
    wall = text.find(_WALL)
    if detector.end is None:
        return _run(detector.tail, text, final=final)
    if 0 <= wall < room:
        room, full = wall, True
    within = text[:room]
    match = detector.end.search(within)
    if match is not None:
        return len(within[: match.end()].rstrip(b"\x00\x02")), True
    if final or full:
        return _key_body(within), True
    border = within.find(JOINT.encode())
    return (border if border >= 0 else detector.undecided_from(within)), False


def _run(tail: bytes, text: bytes, *, final: bool) -> tuple[int, bool]:
    """A run of the tail's bytes. Across a border it goes on only where what follows looks like more of a secret, not like a word."""
    allowed = tail + b"\x00"
    at = 0
    while True:
        at += len(text) - at - len(text[at:].lstrip(allowed))
        if at >= len(text):
            return len(text), final
        if text[at : at + 1] != b"\x02":
            return at, True
        if not final and len(text) - at < _LOOK_AHEAD:
            return at, False
        if _SECRET_GOES_ON.match(text, at) is None:
            return at, True
        at += 1


def _key_body(within: bytes) -> int:
    """A key without an end: its own text to the end, and further texts while they are lines of base64."""
    border = within.find(b"\x02")
    if border < 0:
        return len(within)
    while True:
        match = _KEY_GOES_ON.match(within, border)
        if match is None:
            return border
        border = match.end()
        if border >= len(within) or within[border : border + 1] != b"\x02":
            return border


def _marked_quote(match: re.Match[str]) -> str:
    return WALL if match[0] == '"' else match[0]
