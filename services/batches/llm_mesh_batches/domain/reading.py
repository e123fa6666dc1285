"""Reads the file of a batch into lines: all of them, or a list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_batches.domain.endpoints import ENDPOINTS
from llm_mesh_batches.domain.jsonl import LineFault, LineSplitter, RawLine, read_line
from llm_mesh_batches.domain.ports import ActiveBatch, FileStore, NewLine, ReadingStore
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork

_MOST_ERRORS = 100
_AT_ONCE = 500
"""Lines that one transaction adds."""


class FileReader:
    """Reads the files of batches. `seconds` is how long it owns one between two signs of life."""

    def __init__(
        self, files: FileStore, store: ReadingStore, heavy: HeavyWork, *, owner: str, seconds: float, most_lines: int, line_bytes: int
    ) -> None:
        self._files = files
        self._store = store
        self._heavy = heavy
        self._owner = owner
        self._seconds = seconds
        self._most_lines = most_lines
        self._line_bytes = line_bytes

    async def read(self, batch: ActiveBatch) -> None:
        """Reads the whole file, unless another instance does."""
        if not await self._store.begin(batch, self._owner, self._seconds):
            return
        errors: list[batches_pb2.LineError] = []
        try:
            complete = await self._lines(batch, errors)
        except MeshError as error:
            if error.reason_name != "QUOTA_EXCEEDED":
                raise
            complete, errors = True, [batches_pb2.LineError(code="quota_exceeded", message=error.message)]
        if complete:
            await self._store.finish(batch, self._owner, errors)

    async def _lines(self, batch: ActiveBatch, errors: list[batches_pb2.LineError]) -> bool:
        """Adds the lines, and says what is wrong with them. False where the batch is not this instance's any more."""
        splitter = LineSplitter(self._line_bytes)
        number = count = 0
        while len(errors) < _MOST_ERRORS and count <= self._most_lines:
            piece = await self._files.piece(batch.tenant, batch.input_file, number)
            read = await self._understood(batch, splitter, piece, errors)
            count += len(read)
            for begin in range(0, max(1, len(read)), _AT_ONCE):
                repeated = await self._store.add(batch, self._owner, read[begin : begin + _AT_ONCE], self._seconds)
                if repeated is None:
                    return False
                errors += [_repeated(each) for each in repeated]
            if piece is None:
                break
            number += 1
        if count > self._most_lines:
            message = f"a batch may have {self._most_lines} lines and no more, by LLM_MESH_BATCHES_MOST_LINES"
            errors.append(batches_pb2.LineError(code="too_many_lines", message=message))
        elif not number:
            errors.append(batches_pb2.LineError(code="file_not_found", message="the file has no content, or was deleted"))
        elif not count and not errors:
            errors.append(batches_pb2.LineError(code="empty_file", message="the file has no lines"))
        del errors[_MOST_ERRORS:]
        return True

    async def _understood(
        self, batch: ActiveBatch, splitter: LineSplitter, piece: bytes | None, errors: list[batches_pb2.LineError]
    ) -> Sequence[NewLine]:
        """The lines that end in a piece; None: those of the end."""
        url = ENDPOINTS[batch.endpoint].url

        def work() -> list[NewLine]:
            lines = []
            for raw in splitter.close() if piece is None else splitter.feed(piece):
                line = self._line(raw, url, errors)
                if line is not None:
                    lines.append(line)
                if len(errors) >= _MOST_ERRORS:
                    break
            return lines

        return await self._heavy.follow(batch.tenant.domain, len(piece or b""), work)

    def _line(self, raw: RawLine, url: str, errors: list[batches_pb2.LineError]) -> NewLine | None:
        try:
            line = read_line(raw, url, self._line_bytes)
        except LineFault as fault:
            errors.append(fault.error)
            return None
        return NewLine(line.number, line.custom_id, line.body)


def _repeated(number: int) -> batches_pb2.LineError:
    message = "custom_id: a line before it has the same"
    return batches_pb2.LineError(line=number, code="duplicate_custom_id", message=message, field="custom_id")
