"""The rows of kept answers, and the room that each project has for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from llm_mesh_policy.ledger.domain.kept_answers import Place
from llm_mesh_policy.ledger.store.answer_tables import answers, rooms
from llm_mesh_policy.ledger.store.tables import idempotency
from llm_mesh_runtime.database import for_update, upsert

_AT_ONCE = 16
_PLACES = (answers.c.domain, answers.c.project, answers.c.key)


def has(connection: Connection, place: Place, reservation_id: str, now: int) -> bool:
    """Whether the answer of a reservation can be repeated."""
    same_project = (rooms.c.domain == answers.c.domain) & (rooms.c.project == answers.c.project)
    statement = select(answers.c.create_time, rooms.c.erase_before).join_from(answers, rooms, same_project)
    row = connection.execute(statement.where(*at(place), answers.c.reservation == reservation_id, answers.c.expire_time > now)).first()
    return row is not None and row.create_time > row.erase_before


def erase_of(connection: Connection, projects: Collection[str], now: int) -> None:
    """Marks all that projects have kept until now to be erased."""
    connection.execute(update(rooms).where(rooms.c.project.in_(projects), rooms.c.size > 0).values(erase_before=now))


def take_room(connection: Connection, place: Place, size: int, most: int) -> bool:
    """Counts an answer to its project, unless there is no room for it. Locks the project's room until the commit."""
    upsert(connection, rooms, {"domain": place.domain, "project": place.project, "size": 0}, key=("domain", "project"), update=())
    taken = update(rooms).where(*_room_of(place), rooms.c.size + size <= most)
    return connection.execute(taken.values(size=rooms.c.size + size)).rowcount > 0


def give_room(connection: Connection, place: Place, size: int) -> None:
    """Counts an answer to its project no more."""
    connection.execute(update(rooms).where(*_room_of(place)).values(size=rooms.c.size - size))


def remove(connection: Connection, place: Place) -> bool:
    """Deletes an answer. The project's room is locked before it, as by everybody. False: somebody else has deleted it."""
    connection.execute(for_update(select(rooms.c.size).where(*_room_of(place)))).first()
    size = connection.scalar(select(answers.c.size).where(*at(place)))
    if size is None:
        return False
    connection.execute(delete(answers).where(*at(place)))
    give_room(connection, place, size)
    return True


def expired(connection: Connection, now: int) -> list[Place]:
    """Some of the answers whose time is over."""
    return _places(connection, [answers.c.expire_time <= now])


def to_erase(connection: Connection) -> list[Place]:
    """Some of the answers that are to be erased."""
    for room in connection.execute(select(rooms).where(rooms.c.erase_before > 0, rooms.c.size > 0)).all():
        old = (answers.c.domain == room.domain, answers.c.project == room.project, answers.c.create_time <= room.erase_before)
        if places := _places(connection, old):
            return places
    return []


def at(place: Place) -> tuple[ColumnElement[bool], ...]:
    """The condition of an answer."""
    return answers.c.domain == place.domain, answers.c.project == place.project, answers.c.key == place.key


def key_at(place: Place) -> tuple[ColumnElement[bool], ...]:
    """The condition of an idempotency key."""
    return idempotency.c.domain == place.domain, idempotency.c.project == place.project, idempotency.c.key == place.key


def _room_of(place: Place) -> tuple[ColumnElement[bool], ...]:
    return rooms.c.domain == place.domain, rooms.c.project == place.project


def _places(connection: Connection, which: Sequence[ColumnElement[bool]]) -> list[Place]:
    rows: Any = connection.execute(select(*_PLACES).where(*which).limit(_AT_ONCE))
    return [Place(*row) for row in rows]
