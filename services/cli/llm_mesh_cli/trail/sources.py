"""Where a trail is read: from a running mesh, from policy's database, or from an exported file. Records come oldest first, heads last."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from llm_mesh.policy.v1 import audit_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh_cli.failures import CommandError, Exit

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_PAGE = 1000
_ROWS = 5000


class TrailPage(NamedTuple):
    """Some records, and, with the last of them, the heads of the same moment."""

    records: Sequence[rules_pb2.AuditRecord]
    heads: Sequence[audit_pb2.ChainHead] | None


async def running(session: Session, newest: int = 0) -> AsyncIterator[TrailPage]:
    """The trail of a running mesh, or its newest records."""
    stub = rules_pb2_grpc.RuleServiceStub(session.channel("policy"))
    request = rules_pb2.ExportAuditRecordsRequest(parent="domains/-", page_size=_PAGE, newest=newest)
    while True:
        answer = await stub.ExportAuditRecords(request, timeout=60)
        request.page_token = answer.next_page_token
        yield TrailPage(answer.records, None if answer.next_page_token else answer.heads)
        if not answer.next_page_token:
            return


async def stored(session: Session, place: str) -> AsyncIterator[TrailPage]:
    """The trail in policy's database: a file of SQLite or a URL."""
    from llm_mesh_runtime.database import open_database  # noqa: PLC0415 (only who reads a database needs it)
    from llm_mesh_runtime.trail.stored import read  # noqa: PLC0415 (likewise)

    database, after = open_database("policy", _url(place), session.mesh), 0
    try:
        while True:
            page = TrailPage(*(await database.read(partial(read, after=after, most=_ROWS))))
            yield page
            if page.heads is not None:
                return
            after = page.records[-1].sequence
    finally:
        await database.close()


async def exported(path: Path) -> AsyncIterator[TrailPage]:
    """The trail in a file that `llm-mesh audit export` wrote."""
    heads: list[audit_pb2.ChainHead] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                kind, value = next(iter(json.loads(line).items()))
                if kind == "head":
                    heads.append(ParseDict(value, audit_pb2.ChainHead()))
                else:
                    yield TrailPage([ParseDict(value, rules_pb2.AuditRecord())], None)
            except (ValueError, AttributeError, StopIteration, ParseError):
                raise CommandError(f"{path}:{number}: expected a line of an exported audit trail", Exit.USAGE) from None
    yield TrailPage([], heads)


async def export(pages: AsyncIterator[TrailPage], path: Path) -> int:
    """Writes a trail as lines of JSON; answers with the number of its records."""
    count = 0
    async with aclosing(pages) as source:  # type: ignore[type-var] # an async generator
        with path.open("w", encoding="utf-8") as file:
            async for page in source:
                for record in page.records:
                    file.write(json.dumps({"record": MessageToDict(record)}, ensure_ascii=False) + "\n")
                    count += 1
                for head in page.heads or ():
                    file.write(json.dumps({"head": MessageToDict(head)}) + "\n")
    return count


def _url(place: str) -> str:
    if "://" in place:
        return place
    if not Path(place).is_file():
        raise CommandError(f"{place}: there is no such file", Exit.NOT_FOUND)
    return f"sqlite:///{Path(place).absolute()}"
