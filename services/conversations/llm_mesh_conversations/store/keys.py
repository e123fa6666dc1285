"""The keys that content is sealed with: one for each author, itself sealed by the service's secret, which is not in the database.

Erasing an author's key erases the content: without it nobody opens what is left of it, in the database or in a copy of its files.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from llm_mesh_conversations.domain.values import ContentAuthor, ContentKey, ContentPlace
from llm_mesh_conversations.store.tables import KEYS
from llm_mesh_runtime.content_cipher import ContentCipher
from llm_mesh_runtime.database import Database, upsert
from llm_mesh_runtime.log import get_logger

_KEY_BYTES = 32


class SqlContentKeys:
    """`ContentKeys`, and the ciphers that they are for other stores."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._cipher = ContentCipher(secret, "conversations/keys")

    async def key_of(self, author: ContentAuthor) -> ContentKey:
        """The author's key, made where there is none."""
        place, principal, end_user = author
        own = (*at(KEYS, place), KEYS.c.principal == principal, KEYS.c.end_user == end_user)
        statement = select(KEYS.c.id).where(*own)

        def make(connection: Connection) -> str:
            key = secrets.token_hex(16)
            sealed = self._cipher.closed(secrets.token_bytes(_KEY_BYTES), *place, key)
            row: dict[str, Any] = {
                "domain": place.domain,
                "project": place.project,
                "id": key,
                "principal": principal,
                "end_user": end_user,
            }
            row |= {"sealed": sealed, "created": self._database.now(connection)}
            upsert(connection, KEYS, row, key=["domain", "project", "principal", "end_user"], update=[])
            return str(connection.scalar(statement))

        known: str | None = await self._database.read(lambda connection: connection.scalar(statement))
        return ContentKey(place, known if known is not None else await self._database.write(make))

    def cipher_of(self, connection: Connection, place: ContentPlace, key: str) -> ContentCipher | None:
        """The cipher of a key. None: the key was erased."""
        sealed = connection.scalar(select(KEYS.c.sealed).where(*at(KEYS, place), KEYS.c.id == key))
        if sealed is None:
            return None
        opened = self._cipher.opened(bytes(sealed), *place, key)
        if opened is None:
            get_logger().error("a content key does not open: the secret is another one, or the row was changed", project=place.project)
            return None
        return ContentCipher(opened, "conversations")


def at(table: Table, place: ContentPlace) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The rows of a project."""
    return table.c.domain == place.domain, table.c.project == place.project
