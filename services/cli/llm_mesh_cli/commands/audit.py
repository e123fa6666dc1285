"""`llm-mesh audit`: what was decided and changed, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from llm_mesh.policy.v1 import rules_pb2, rules_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.filtering import Since, Until, period
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import time_text
from llm_mesh_cli.trail import heads, sources
from llm_mesh_cli.trail.verification import verify

app = typer.Typer(no_args_is_help=True, help="Show and verify the audit trail.")
Domain = Annotated[str | None, typer.Option("--domain", help="`claims`, or `-` for all. Default: the caller's own.")]
Database = Annotated[str | None, typer.Option("--database", help="Read policy's database: a file of SQLite or a URL. No mesh is asked.")]
File = Annotated[Path | None, typer.Option("--file", help="Read a file that `audit export` wrote. No mesh is asked.")]


@asks(app, "list")
async def list_records(
    session: Session,
    domain: Domain = None,
    request_id: Annotated[str, typer.Option("--request", help="Only of this request.")] = "",
    action: Annotated[str, typer.Option(help="Only of this action, such as `keys.revoke`; `keys.*` for all of a kind.")] = "*",
    principal: Annotated[str, typer.Option(help="Only of this principal: its id or its resource name.")] = "",
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    since: Since = None,
    until: Until = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many, newest first.")] = 50,
) -> None:
    """List audit records, newest first."""
    begin, end = period(since, until)
    stub = rules_pb2_grpc.RuleServiceStub(session.channel("policy"))
    request = rules_pb2.ListAuditRecordsRequest(parent=await session.domain(domain), request_id=request_id)
    records: list[rules_pb2.AuditRecord] = []
    async for answer in pages(stub.ListAuditRecords, request):
        for record in answer.records:
            at = record.time.ToDatetime(tzinfo=UTC)
            if begin is not None and at < begin:
                count = len(records)
            if len(records) >= count:
                break
            who = principal in {"", record.principal, record.principal.rpartition("/")[2]}
            if (end is None or at < end) and fnmatchcase(record.action, action) and who and not (refused and record.allowed):
                records.append(record)
        if len(records) >= count:
            break
    rows = [
        (
            str(record.sequence),
            time_text(record.time),
            "" if record.allowed else "refused",
            record.action,
            record.resource,
            record.principal,
            "; ".join(filter(None, (record.detail, record.reason and f"why: {record.reason}"))),
        )
        for record in records
    ]
    session.output.table(("SEQUENCE", "TIME", "", "ACTION", "RESOURCE", "WHO", "DETAIL"), rows, records)


@asks(app)
async def export(
    session: Session, file: Annotated[Path, typer.Argument(help="Where to write it, as lines of JSON.")], database: Database = None
) -> None:
    """Write the whole trail, with the heads of its chains, to a file."""
    source = sources.stored(session, database) if database else sources.running(session)
    count = await session.output.waiting(sources.export(source, file), "reading the audit trail")
    session.output.line(f"{count} records are in {file}")


@asks(app, "verify")
async def verify_trail(
    session: Session,
    database: Database = None,
    file: File = None,
    save: Annotated[Path | None, typer.Option("--save", help="Keep the heads of the chains in this file. Store it elsewhere.")] = None,
    against: Annotated[Path | None, typer.Option("--against", help="Heads that were saved before: the trail may only have grown.")] = None,
) -> None:
    """Verify the audit trail; exit code 1 where records were changed, dropped, added, renumbered or rewritten.

    Without heads that were saved elsewhere a trail is only compared with itself: who can write the whole database can rewrite all of it.
    """
    if database and file:
        raise CommandError("give --database or --file, not both", Exit.USAGE)
    source: Callable[[], AsyncIterator[sources.TrailPage]]
    if database:
        source = partial(sources.stored, session, database)
    elif file:
        source = partial(sources.exported, file)
    else:
        source = partial(sources.running, session)
    known = heads.saved(against) if against else None
    verdict = await session.output.waiting(verify(source, saved=known, grows=not file), "verifying the audit trail")
    if session.output.as_json:
        problems = [{"kind": one.kind, "writer": one.writer, "sequence": one.sequence, "text": one.text} for one in verdict.problems]
        session.output.data({"records": verdict.records, "chains": len(verdict.heads), "problems": problems})
    for one in verdict.problems:
        at = f"record {one.sequence} of chain {one.writer}" if one.sequence else f"chain {one.writer}"
        session.output.line(f"{one.kind:<11} {at}: {one.text}")
    if verdict.problems:
        raise CommandError(f"the audit trail is not whole: {len(verdict.problems)} problems in {verdict.records} records", Exit.FAILED)
    if save:
        heads.save(save, verdict.heads)
    grown = f"; the trail has only grown since {against} was saved" if against else ""
    chains = f"{len(verdict.heads)} chain{'s' if len(verdict.heads) != 1 else ''}"
    session.output.line(f"{verdict.records} records in {chains} are whole{grown}")
