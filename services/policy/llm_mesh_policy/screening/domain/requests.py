"""Screening of a whole request: all of its texts as one, off the event loop where they are long."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.screening.domain.characters import JOINT, decoded_view_of, has_escapes, view_of
from llm_mesh_policy.screening.domain.errors import ScreeningError, content_blocked
from llm_mesh_policy.screening.domain.masking import Masking
from llm_mesh_policy.screening.domain.reading import MOST_REPORTED, Hit, Reading
from llm_mesh_policy.screening.domain.slots import Slot, TextForm
from llm_mesh_policy.screening.domain.trail import Counts
from llm_mesh_policy.screening.domain.watchlist import BLOCKED, MASKED, UNDECODABLE, Watchlist

M = TypeVar("M", bound=Message)
Slots = Callable[[M], Iterator[Slot]]
MOST_JSON_VALUES = 400_000
_SMALL = 32 * 1024


@dataclass(frozen=True, slots=True)
class Screened(Generic[M]):
    """What came of it; `masked` only where something was replaced."""

    masked: M | None = None
    findings: Sequence[policy_pb2.Finding] = ()
    """The first of them."""
    counts: Counts = field(default_factory=Counter)
    """How often each detector found something, and what was done."""

    @property
    def blocked(self) -> Sequence[str]:
        """The detectors by which the request is refused."""
        return sorted({detector for detector, action in self.counts if action == BLOCKED})

    def refusal(self) -> ScreeningError:
        return content_blocked(", ".join(self.blocked))


CLEAN: Screened[Any] = Screened()


def screen(message: M, slots: Slots[M], watchlist: Watchlist, *, patient: bool, most_values: int = MOST_JSON_VALUES) -> Screened[M]:
    """Screens all texts of a message. `patient`: in a thread, which leaves others the interpreter now and then."""
    texts = _slots(message, slots, watchlist)
    opaque = [number for number, slot in enumerate(texts) if slot.form is TextForm.OPAQUE]
    if not opaque and not _may_find(texts, watchlist):
        return CLEAN
    reading = Reading(watchlist, texts, most_values, patient=patient)
    hits = reading.hits()
    counts = reading.counts
    if not counts and not opaque:
        return CLEAN
    findings = _opaque_findings(texts, opaque, watchlist, counts)
    for touched in _by_finding(hits):
        if len(findings) >= MOST_REPORTED:
            break
        findings.append(_located(texts, touched[0]))
    if any(action == BLOCKED for _, action in counts):
        return Screened(findings=findings, counts=counts)
    return Screened(_masked(message, slots, texts, watchlist, hits), findings, counts)


def _may_find(texts: Sequence[Slot], watchlist: Watchlist) -> bool:
    """A cheap look at a small request without JSON; any other is read whole."""
    if not watchlist.detectors:
        return False
    if sum(len(slot.text) for slot in texts) > _SMALL or any(slot.form in {TextForm.JSON, TextForm.SCHEMA} for slot in texts):
        return True
    joined = JOINT.join([slot.text for slot in texts])
    if watchlist.may_find(view_of(joined).text):
        return True
    decoded = decoded_view_of(joined) if has_escapes(joined) else None
    return decoded is not None and watchlist.may_find(decoded.text)


def _by_finding(hits: Iterable[Hit]) -> Iterator[list[Hit]]:
    touched: list[Hit] = []
    for hit in hits:
        if touched and touched[0].finding is not hit.finding:
            yield touched
            touched = []
        touched.append(hit)
    if touched:
        yield touched


def _located(texts: Sequence[Slot], hit: Hit) -> policy_pb2.Finding:
    """Where a finding begins: as offsets in the text that it begins in."""
    slot = texts[hit.slot]
    start = len(slot.text[: hit.start].encode())
    made = policy_pb2.Finding(detector=hit.finding.detector.name, action=hit.finding.action, field=slot.field, start=start)
    made.end = start + len(slot.text[hit.start : hit.end].encode())
    return made


def _opaque_findings(texts: Sequence[Slot], opaque: Sequence[int], watchlist: Watchlist, counts: Counts) -> list[policy_pb2.Finding]:
    action = watchlist.undecodable
    if action is None or not opaque:
        return []
    counts[UNDECODABLE, action] += len(opaque)
    return [policy_pb2.Finding(detector=UNDECODABLE, action=action, field=texts[number].field) for number in opaque[:MOST_REPORTED]]


def _masked(message: M, slots: Slots[M], read: Sequence[Slot], watchlist: Watchlist, hits: Sequence[Hit]) -> M | None:
    """A copy of the message with masks; None where nothing is masked."""
    by_slot: dict[int, list[Hit]] = {}
    for hit in hits:
        if hit.finding.action == MASKED:
            by_slot.setdefault(hit.slot, []).append(hit)
    replacing = watchlist.undecodable == MASKED and any(slot.form is TextForm.OPAQUE for slot in read)
    if not by_slot and not replacing:
        return None
    copy = type(message)()
    copy.CopyFrom(message)
    masking = Masking()
    for number, (slot, original) in enumerate(zip(_slots(copy, slots, watchlist), read, strict=True)):
        if slot.form is TextForm.OPAQUE:
            if replacing:
                slot.put(f"[{UNDECODABLE}]")
        elif number in by_slot:
            slot.form = original.form
            masking.mask(slot, sorted(by_slot[number], key=lambda hit: hit.start))
    return copy


def _slots(message: M, slots: Slots[M], watchlist: Watchlist) -> list[Slot]:
    """All of them at once, since replacing one may end another."""
    return [slot for slot in slots(message) if slot.form is not TextForm.OPAQUE or watchlist.undecodable is not None]
