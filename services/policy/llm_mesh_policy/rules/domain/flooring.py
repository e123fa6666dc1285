"""Floors: put, shown, listed and deleted by the platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import floors_pb2
from llm_mesh_policy.domain.kinds import DOMAINS, FLOORS
from llm_mesh_policy.rules.domain.stricter import EVERY_DOMAIN
from llm_mesh_policy.screening.ports import UNDECODABLE, all_detectors
from llm_mesh_runtime.errors import etag_mismatch, invalid
from llm_mesh_runtime.resources import change_of

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.resources import ResourceStore
    from llm_mesh_policy.rules.domain.changes import Change, Changes, Done
    from llm_mesh_runtime.resources import Page

_PLATFORM_ID = "platform"


class Flooring:
    """The floors, for those who set them."""

    def __init__(self, store: ResourceStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    async def put(self, actor: Actor, floor: floors_pb2.Floor) -> Done[floors_pb2.Floor]:
        """Creates or replaces a floor whole."""
        floor_place(floor.name, "floor.name")

        def work(change: Change) -> floors_pb2.Floor:
            before = FLOORS.find(change.transaction, floor.name)
            if floor.etag and (before is None or before.etag != floor.etag):
                raise etag_mismatch(floor.name)
            require_domain(change, floor.name, "floor.name")
            saved = save_floor(change, floor)
            note_floor(change, before, saved)
            return saved

        return await self._changes.make(actor, work)

    async def get(self, name: str) -> floors_pb2.Floor:
        """A floor; NOT_FOUND where there is none."""
        floor_place(name, "name")
        return await self._store.read(lambda transaction: FLOORS.get(transaction, name))

    async def page(self, page: Page) -> tuple[Sequence[floors_pb2.Floor], str]:
        """The floors by name."""
        rows = await self._store.read(lambda transaction: transaction.page(FLOORS.collection, _PLATFORM_ID, page.after, page.limit))
        shown, token = page.cut(rows, lambda row: row.id)
        return [FLOORS.unpack(row) for row in shown], token

    async def delete(self, actor: Actor, name: str) -> int:
        """Deletes a floor; answers with the revision."""
        place = floor_place(name, "name")

        def work(change: Change) -> None:
            gone = FLOORS.get(change.transaction, name)
            change.transaction.remove(FLOORS.collection, *place)
            _note(change, "floors.delete", name, "deleted", gone, None)

        return (await self._changes.make(actor, work)).revision


def floor_place(name: str, field: str) -> tuple[str, str]:
    """The place of a floor, which is the platform's."""
    place = FLOORS.place(name, field)
    if place[0] != _PLATFORM_ID:
        raise invalid(field, "must be domains/platform/floors/ and the id of a domain, or `-` for every domain")
    return place


def require_domain(change: Change, name: str, field: str) -> None:
    """INVALID_FIELD where the domain that a floor binds does not exist."""
    if name != EVERY_DOMAIN and DOMAINS.find(change.transaction, bound_domain(name)) is None:
        raise invalid(field, "must be of a domain that exists, or `-` for every domain")


def save_floor(change: Change, floor: floors_pb2.Floor, field: str = "floor") -> floors_pb2.Floor:
    """Writes a floor, once it is found valid."""
    known = {UNDECODABLE, *(detector.name for detector in all_detectors())}
    for number, rule in enumerate(floor.screening):
        if rule.detector not in known:
            raise invalid(f"{field}.screening[{number}].detector", f"must be one of {', '.join(sorted(known))}")
    return FLOORS.save(change.transaction, floor, field)


def bound_domain(name: str) -> str:
    """The domain that a floor binds."""
    return "domains/" + name.rpartition("/")[2]


def note_floor(change: Change, before: floors_pb2.Floor | None, after: floors_pb2.Floor) -> None:
    """Adds the audit rows of a floor that was put: in the platform's trail, and in that of the domain that it binds."""
    fields = [each.path for each in change_of(after.name, before, after).fields]
    _note(change, "floors.put", after.name, "changed " + ", ".join(fields) if before is not None else "created", before, after)


def _note(change: Change, action: str, name: str, detail: str, before: floors_pb2.Floor | None, after: floors_pb2.Floor | None) -> None:
    change.note(action, name, detail, before=before, after=after)
    if name != EVERY_DOMAIN:
        change.note(action, bound_domain(name), f"{name}: {detail}")
