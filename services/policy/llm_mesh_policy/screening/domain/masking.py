"""Puts masks in the place of findings. What was JSON stays JSON, what was a name stays a name."""

from collections.abc import Sequence
from urllib.parse import quote

from llm_mesh_policy.screening.domain.reading import Hit
from llm_mesh_policy.screening.domain.slots import Slot, TextForm

_NUMBER = "0123456789+-.eE"


class Masking:
    """The masks of one request: what is the same before is the same afterwards."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, slot: Slot, hits: Sequence[Hit]) -> None:
        """Replaces what the hits touch of a text, which are in order and do not overlap."""
        if slot.form is TextForm.NAME:
            slot.put(self._name(slot.text, hits[0].finding.detector.name))
            return
        if slot.form is TextForm.KEY:
            slot.put("")
            return
        slot.put(spliced(slot.text, slot.form, hits))

    def _name(self, text: str, detector: str) -> str:
        name = self._names.get(text)
        if name is None:
            number = self._counts[detector] = self._counts.get(detector, 0) + 1
            name = self._names[text] = f"masked_{detector}" if number == 1 else f"masked_{detector}_{number}"
        return name


def spliced(text: str, form: TextForm, hits: Sequence[Hit]) -> str:
    """The text with masks. In JSON, different values get different masks: keys and members of an enumeration stay different."""
    parts: list[str] = []
    numbers: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    at = 0
    for hit in hits:
        start, end = (hit.start, hit.end) if not hit.number else _whole_number(text, hit.start, hit.end)
        if start < at:
            continue
        detector = hit.finding.detector.name
        key = (detector, text[start:end])
        number = numbers.get(key)
        if number is None:
            number = numbers[key] = counts[detector] = counts.get(detector, 0) + 1
        parts += (text[at:start], _mask(detector, form, number, of_number=hit.number))
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _mask(detector: str, form: TextForm, number: int, *, of_number: bool) -> str:
    if form is TextForm.URI:
        return quote(f"[{detector}]")
    if form not in {TextForm.JSON, TextForm.SCHEMA}:
        return f"[{detector}]"
    if of_number and form is TextForm.SCHEMA:
        return str(number - 1)
    mask = f"[{detector}]" if number == 1 else f"[{detector} {number}]"
    return f'"{mask}"' if of_number else mask


def _whole_number(text: str, start: int, end: int) -> tuple[int, int]:
    while start and text[start - 1] in _NUMBER:
        start -= 1
    while end < len(text) and text[end] in _NUMBER:
        end += 1
    return start, end
