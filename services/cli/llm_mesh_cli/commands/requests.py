"""`llm-mesh requests`: what became of a request, from everything that the mesh keeps of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.filtering import Entries, Since, Until, between
from llm_mesh_cli.nouns.names import reservation_name
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.shown import enum_text
from llm_mesh_cli.story import Story
from llm_mesh_cli.texts import amount, time_text

app = typer.Typer(no_args_is_help=True, help="Show what became of requests, and correct what they were charged.")
Project = Annotated[str | None, typer.Option("--project", help="`triage`, `claims/triage` or a resource name.")]
Domain = Annotated[str | None, typer.Option("--domain", help="All projects of a domain. Default: the caller's own.")]
What = Annotated[str, typer.Argument(help="A request id (x-request-id), `claims/triage/RESERVATION`, or a reservation's resource name.")]


class ReservationState(StrEnum):
    """How a reservation stands."""

    HELD = "held"
    SETTLED = "settled"
    ESTIMATED = "estimated"
    RELEASED = "released"
    REFUSED = "refused"


@asks(app, "list")
async def list_requests(
    session: Session,
    project: Project = None,
    domain: Domain = None,
    state: Annotated[ReservationState | None, typer.Option(help="Only those in this state.")] = None,
    only: Entries = None,
    since: Since = None,
    until: Until = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many, newest first.")] = 50,
) -> None:
    """List requests as the ledger has them, newest first."""
    parent = await session.place(project) if project is not None else f"{await session.domain(domain)}/projects/-"
    request = ledger_pb2.ListLedgerEntriesRequest(parent=parent)
    if state is not None:
        request.MergeFrom(ledger_pb2.ListLedgerEntriesRequest(state=f"RESERVATION_STATE_{state.name}"))
    entries = [entry async for entry in between(session, request, since, until, only or [], count)]
    rows = [
        (
            time_text(entry.reserve_time),
            enum_text(usage_pb2.ReservationState.DESCRIPTOR, entry.state),
            entry.alias,
            amount(entry.charged),
            entry.request_id,
            entry.name.partition("/projects/")[2].replace("/reservations/", "/"),
        )
        for entry in entries
    ]
    session.output.table(("TIME", "STATE", "ALIAS", "CHARGED", "REQUEST", "RESERVATION"), rows, entries)


@asks(app)
async def show(session: Session, what: What, domain: Domain = None) -> None:
    """Tell the story of a request: decision, attempts, charges, screening, audit records and feedback."""
    story = Story(session)
    if "/" in what:
        await story.of_reservation(await reservation_name(session, what))
    else:
        await story.of_request(await session.domain(domain), what)
    story.show()


@asks(app)
async def reconcile(
    session: Session,
    what: What,
    note: Annotated[str, typer.Option(help="Why, for people.")],
    attempt: Annotated[str, typer.Option(help="The attempt that was charged. Default: the only one.")] = "",
    input_tokens: Annotated[int | None, typer.Option(min=0, help="Input tokens that were really used.")] = None,
    output_tokens: Annotated[int | None, typer.Option(min=0, help="Output tokens that were really used.")] = None,
) -> None:
    """Replace an estimate (state `estimated`) by what the provider really used. The other attempts stay as they are."""
    stub = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    name = await reservation_name(session, what) if "/" in what else (await _only(session, what)).name
    entry = (await stub.GetLedgerEntry(ledger_pb2.GetLedgerEntryRequest(name=name), timeout=30)).entry
    lines = [usage_pb2.UsageLine.FromString(line.usage.SerializeToString()) for line in entry.lines]
    ids = [line.attempt_id for line in lines]
    if not attempt and len(ids) != 1:
        raise CommandError(f"--attempt is needed: the request has the attempts {', '.join(ids) or '(none)'}", Exit.USAGE)
    line = next((each for each in lines if each.attempt_id == (attempt or ids[0])), None)
    if line is None:
        raise CommandError(missing("attempt", attempt, ids), Exit.NOT_FOUND)
    if input_tokens is None and output_tokens is None:
        raise CommandError("nothing to correct: give --input-tokens or --output-tokens", Exit.USAGE)
    if input_tokens is not None:
        line.usage.input_tokens = input_tokens
    if output_tokens is not None:
        line.usage.output_tokens = output_tokens
    line.MergeFrom(usage_pb2.UsageLine(source="USAGE_SOURCE_PROVIDER"))
    if line.outcome == usage_pb2.ATTEMPT_OUTCOME_LOST:
        line.MergeFrom(usage_pb2.UsageLine(outcome="ATTEMPT_OUTCOME_COMPLETED"))
    answer = await stub.ReconcileLedgerEntry(ledger_pb2.ReconcileLedgerEntryRequest(name=name, lines=lines, note=note), timeout=30)
    if session.output.as_json:
        session.output.message(answer.entry)
    session.output.line(f"{name} is charged {amount(answer.entry.charged)}; before {amount(entry.charged)}")


async def _only(session: Session, request_id: str) -> usage_pb2.LedgerEntry:
    """The one entry of a request."""
    request = ledger_pb2.ListLedgerEntriesRequest(parent=f"{await session.domain()}/projects/-", request_id=request_id)
    stub = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    listed = [entry async for answer in pages(stub.ListLedgerEntries, request) for entry in answer.entries]
    if not listed:
        raise CommandError(f"no request {request_id} stands in the ledger of {await session.domain()}", Exit.NOT_FOUND)
    if len(listed) > 1:
        raise CommandError(f"{request_id} has several entries: {', '.join(entry.name for entry in listed)}", Exit.USAGE)
    return listed[0]
