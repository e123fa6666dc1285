"""Reads all texts of a request as one: in their flows, with borders between them, so that nothing hides by being cut in two."""

import time
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llm_mesh_policy.screening.domain import json_text
from llm_mesh_policy.screening.domain.characters import GAP, JOINT, WALL
from llm_mesh_policy.screening.domain.json_text import NotJsonError
from llm_mesh_policy.screening.domain.scan import STEP, Scan, TextFinding
from llm_mesh_policy.screening.domain.slots import Flow, Slot, TextForm
from llm_mesh_policy.screening.domain.trail import Counts
from llm_mesh_policy.screening.domain.watchlist import BLOCKED, MASKED, Watchlist
from llm_mesh_runtime.errors import invalid

MOST_REPORTED = 100
MOST_MASKED = 20_000
"""Findings of one request that are masked: each takes memory."""
_PAUSE = 0.0002
_WORKED = 0.002
"""A thread that computes lets the event loop have the interpreter after each so many seconds, for a moment."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a finding touches a text."""

    slot: int
    start: int
    end: int
    finding: TextFinding
    number: bool
    """The place is a number of JSON."""


class Reading:
    """One pass over the texts of a request."""

    def __init__(self, watchlist: Watchlist, slots: Sequence[Slot], most_values: int, *, patient: bool) -> None:
        self._scan = Scan(watchlist, "", borders=True)
        self._slots = slots
        self._left = most_values
        self._patient = patient
        self._worked = time.monotonic()
        self._length = 0
        self._batch: list[str] = []
        self._batched = 0
        self._starts = array("q")
        self._slot_of = array("q")
        self._begin_in_slot = array("q")
        self._kind_of = bytearray()
        self._hits: list[Hit] = []
        self._masked = 0
        self._over = False
        """The request is refused: what follows need not be read."""
        self.counts: Counts = Counter()

    def hits(self) -> list[Hit]:
        """Every place that a finding touches that is masked, and the first of others, in their order.

        It ends with what blocks the request. More findings than can be masked block it too.
        """
        flows: Mapping[Flow, list[int]] = defaultdict(list)
        for number, slot in enumerate(self._slots):
            if slot.form is not TextForm.OPAQUE:
                flows[slot.flow].append(number)
        for numbers in flows.values():
            apart: list[tuple[int, json_text.Token]] = []
            for number in numbers:
                self._read(number, apart)
            for number, token in apart:
                self._add(WALL, number, token)
            self._border(WALL)
        self._push(final=True)
        return self._hits

    def _note(self, finding: TextFinding) -> bool:
        """Counts a finding; whether it decides that the request is refused."""
        action = finding.action
        if action == MASKED and self._masked >= MOST_MASKED:
            action = BLOCKED
        if action == BLOCKED:
            self._over = True
        self.counts[finding.detector.name, action] += 1
        self._masked += action == MASKED
        if action == MASKED or sum(self.counts.values()) <= MOST_REPORTED:
            self._hits += self._touched(finding)
        return self._over

    def _read(self, number: int, apart: list[tuple[int, json_text.Token]]) -> None:
        slot = self._slots[number]
        whole = json_text.Token(json_text.STRING, 0, len(slot.text))
        if slot.form is TextForm.KEY:
            apart.append((number, whole))
            return
        if slot.form in {TextForm.JSON, TextForm.SCHEMA}:
            try:
                findings = list(self._counted(slot))
            except NotJsonError:
                slot.form = TextForm.TEXT
            else:
                for token in findings:
                    if token.kind == json_text.STRING:
                        self._add(JOINT, number, token)
                    else:
                        apart.append((number, token))
                return
        self._add(JOINT, number, whole)

    def _counted(self, slot: Slot) -> Iterator[json_text.Token]:
        for token in json_text.tokens(slot.text):
            self._left -= 1
            if self._left < 0:
                raise invalid(slot.field, "fewer values in all JSON of the request, which must be screened one by one")
            if not self._left % STEP:
                self._breathe()
            yield token

    def _add(self, border: str, number: int, token: json_text.Token) -> None:
        self._border(border)
        self._starts.append(self._length)
        self._slot_of.append(number)
        self._begin_in_slot.append(token.start)
        self._kind_of.append(token.kind)
        text = self._slots[number].text
        for begin in range(token.start, token.end, STEP):
            piece = text[begin : min(token.end, begin + STEP)]
            if WALL in piece or JOINT in piece:
                piece = piece.replace(WALL, GAP).replace(JOINT, GAP)
            self._put(piece)

    def _border(self, border: str) -> None:
        self._put(border)

    def _put(self, text: str) -> None:
        self._batch.append(text)
        self._batched += len(text)
        self._length += len(text)
        if self._batched >= STEP:
            self._push(final=False)

    def _push(self, *, final: bool) -> None:
        batch = "".join(self._batch)
        self._batch.clear()
        self._batched = 0
        if self._over:
            return
        for _ in self._scan.steps(batch, final=final):
            refused = [self._note(finding) for finding in self._scan.taken()]
            if any(refused):
                return
            self._breathe()

    def _breathe(self) -> None:
        if self._patient and time.monotonic() - self._worked > _WORKED:
            time.sleep(_PAUSE)
            self._worked = time.monotonic()

    def _touched(self, finding: TextFinding) -> Iterator[Hit]:
        """The texts that a finding is in. A border belongs to none of them."""
        number = bisect_right(self._starts, finding.start) - 1
        while number < len(self._starts) and self._starts[number] < finding.end:
            begin = self._starts[number]
            after = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else self._length
            start, end = max(begin, finding.start), min(after, finding.end)
            if start < end:
                shift = self._begin_in_slot[number] - begin
                yield Hit(self._slot_of[number], start + shift, end + shift, finding, self._kind_of[number] == json_text.NUMBER)
            number += 1
