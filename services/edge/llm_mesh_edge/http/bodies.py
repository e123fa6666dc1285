"""Bodies of requests: small ones are read at once, large ones off the event loop, in turns between those who sent them.

What has arrived of bodies that are not whole yet is bounded, and shared between callers: a body may take a minute to arrive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

import orjson

from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.http.exchange import HttpExchange, ProblemError
from llm_mesh_edge.http.form_reader import FormReader
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.items import has_more_values
from llm_mesh_runtime.pressure import overloaded
from llm_mesh_runtime.shares import Party, Shares

T = TypeVar("T")
LARGE = 64 * 1024
_CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")


class Bodies:
    """Reads JSON and translates it."""

    def __init__(self, settings: Settings, heavy: HeavyWork) -> None:
        self._settings = settings
        self._heavy = heavy
        self._uploads = Shares(settings.uploads)
        """Bytes."""

    async def read(self, exchange: HttpExchange) -> tuple[dict[str, Any], int]:
        """The body as a JSON object, and its size. OVERLOADED where its sender has too many bytes under way."""
        raw = exchange.arrived_body(self._settings.max_body)
        if raw is not None:
            return await self._object(exchange, raw)
        upload = _Upload(self._uploads, exchange.party)
        try:
            raw = await exchange.body(self._settings.max_body, self._settings.upload.total_seconds(), upload.take)
            return await self._object(exchange, raw)
        finally:
            upload.end()

    async def read_form(self, exchange: HttpExchange, files: AbstractSet[str]) -> tuple[dict[str, Any], int]:
        """The body as a form, and its size; it is read as it arrives. `files` are the fields that may be files."""
        form = FormReader(exchange.headers.get(b"content-type"), files)
        raw = exchange.arrived_body(self._settings.max_body)
        if raw is not None:
            form.write(raw)
            return form.close(), len(raw)
        upload = _Upload(self._uploads, exchange.party)

        def arrived(piece: bytes) -> None:
            upload.take(len(piece))
            form.write(piece)

        try:
            await exchange.hand_on(self._settings.max_body, self._settings.upload.total_seconds(), arrived)
            return form.close(), upload.size
        finally:
            upload.end()

    async def _object(self, exchange: HttpExchange, raw: bytes) -> tuple[dict[str, Any], int]:
        size = len(raw)
        if size <= LARGE:  # nearly always: as `worked` would, without a coroutine and a function for it
            return self._parsed(raw), size
        return await self.worked(exchange, size, lambda: self._parsed(raw)), size

    async def worked(self, exchange: HttpExchange, size: int, work: Callable[[], T]) -> T:
        """The result of a work on a body of that size."""
        if size <= LARGE:
            return work()
        return await self._heavy.run(exchange.tenant or _sender(exchange), size, work)

    async def written(self, exchange: HttpExchange, size: int, work: Callable[[], T]) -> T:
        """The same for an answer, which is never refused: it is paid."""
        if size <= LARGE:
            return work()
        return await self._heavy.follow(exchange.tenant or _sender(exchange), size, work)

    def _parsed(self, raw: bytes) -> dict[str, Any]:
        most = self._settings.max_values
        if len(raw) > LARGE and has_more_values(raw, most):
            raise ProblemError(Failure(413, "message_too_large", f"the body has more than {most} values"))
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            message = f"the body is not valid JSON in UTF-8: {error.msg} at line {error.lineno} column {error.colno}"
            raise ProblemError(Failure(400, "invalid_json", message)) from None
        if not isinstance(value, dict):
            raise ProblemError(Failure(400, "invalid_json", "the body is not a JSON object"))
        return value


class _Upload:
    """What one body holds of the bytes that may be under way."""

    __slots__ = ("_party", "_shares", "size")

    def __init__(self, shares: Shares, party: Party | None) -> None:
        self._shares = shares
        self._party = party
        self.size = 0

    def take(self, size: int) -> None:
        if not self._shares.take(self._party, size):
            raise overloaded()
        self.size += size

    def end(self) -> None:
        if self.size:
            self._shares.give(self._party, self.size)


def _sender(exchange: HttpExchange) -> str:
    """Who sent a request, as its credential tells, without keeping it."""
    credential = next((value for name in _CREDENTIALS if (value := exchange.headers.get(name))), "")
    return hashlib.sha256(credential.encode()).hexdigest()
