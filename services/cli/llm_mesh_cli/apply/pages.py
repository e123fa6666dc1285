"""A service takes so much in one call: what a file has beyond that is sent in several, each of which can be taken by itself.

Whatever a resource needs to exist goes into its page too, unless an earlier resource of the page is it. Naming a resource twice
changes nothing the second time, and so each page can be tried before any of them is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_ENTRIES = 500
MOST_MONEY = 100
"""Budgets and limits among the entries of `ApplyPolicy`."""

_MONEY = frozenset({"budgets", "limits"})
_FIRST = ("floors", "endpoints", "adapters")
"""What must be there before anything else: it bounds the rest."""
_ORDER = ("domains", "projects", "principals", "roles", "bindings", "budgets", "limits", "models", "routes", "prompts", "subscriptions")
_NAMED = ("principal", "role", "scope", "subject")
"""Fields in which a resource names others that must exist."""


@dataclass(slots=True)
class CallPage:
    """One call: a request, and what its elements are in the whole one."""

    request: Any
    original: dict[str, str] = field(default_factory=dict)
    """By place in this request, such as `bindings[3]`: the place in the whole one."""

    def whole(self, path: str) -> str:
        """A field of this request, by the place of its element in the whole one."""
        head, bracket, rest = path.partition("]")
        return self.original.get(head + bracket, head + bracket) + rest


def pages(request: Any) -> list[CallPage]:  # noqa: ANN401 (any of the four requests)
    """The calls that bring a whole request about; the request itself where one call takes it."""
    entries = _entries(request)
    if len(entries) <= MOST_ENTRIES and sum(entry.collection in _MONEY for entry in entries) <= MOST_MONEY:
        return [CallPage(request)]
    by_name = {entry.message.name: entry for entry in entries}
    made, placed = [_Making()], set[tuple[str, int]]()
    for entry in entries:
        if entry.place in placed:
            continue
        needed = [*_needs(entry, by_name), entry]
        if not made[-1].add(needed):
            made.append(_Making())
            if not made[-1].add(needed):
                raise ValueError(f"{entry.message.name} needs more than {MOST_ENTRIES} others")
        placed.update(each.place for each in needed)
    return [making.page(request) for making in made]


@dataclass(frozen=True, slots=True)
class _Entry:
    collection: str
    number: int
    message: Any

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands in the whole request."""
        return self.collection, self.number


class _Making:
    """A page to which entries are added."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], _Entry] = {}

    def add(self, entries: Sequence[_Entry]) -> bool:
        """Adds all of them, or none where they are too many."""
        after = self._entries | {each.place: each for each in entries}
        if len(after) > MOST_ENTRIES or sum(each.collection in _MONEY for each in after.values()) > MOST_MONEY:
            return False
        self._entries = after
        return True

    def page(self, whole: Any) -> CallPage:  # noqa: ANN401 (any of the four requests)
        page = CallPage(type(whole)(parent=whole.parent))
        for entry in sorted(self._entries.values(), key=lambda each: each.number):
            items = getattr(page.request, entry.collection)
            page.original[f"{entry.collection}[{len(items)}]"] = f"{entry.collection}[{entry.number}]"
            items.append(entry.message)
            name = entry.message.name
            if name in whole.update_masks:
                page.request.update_masks[name].CopyFrom(whole.update_masks[name])
        return page


def _entries(request: Any) -> list[_Entry]:  # noqa: ANN401 (any of the four requests)
    """All entries: first what bounds others, then what needs most, so that it takes along what it needs."""
    return [
        _Entry(collection, number, message)
        for collection in (*_FIRST, *reversed(_ORDER))
        if collection in request.DESCRIPTOR.fields_by_name
        for number, message in enumerate(getattr(request, collection))
    ]


def _needs(entry: _Entry, by_name: Mapping[str, _Entry]) -> Iterator[_Entry]:
    """The entries without which this one would be refused, those that they need included."""
    for name in _names(entry):
        needed = by_name.get(name)
        if needed is not None and needed is not entry:
            yield from _needs(needed, by_name)
            yield needed


def _names(entry: _Entry) -> Iterator[str]:
    name = entry.message.name
    if entry.collection == "floors":
        yield f"domains/{name.rpartition('/')[2]}"
    if entry.collection == "budgets":
        yield name.removesuffix("/budget")
    if entry.collection != "domains":
        yield "/".join(name.split("/")[:2])
    fields = entry.message.DESCRIPTOR.fields_by_name
    yield from (getattr(entry.message, field) for field in _NAMED if field in fields)
    if entry.collection == "models":
        yield f"adapters/{entry.message.adapter}/endpoints/{entry.message.endpoint}"
