"""`llm-mesh tail`: requests as they are reserved and settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated

import typer

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.filtering import Entries, Selection, Since, Until, period
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount, time_text
from llm_mesh_figures.screened import screened_text

app = typer.Typer()
_PAUSE = 1.0
_PREFIX = "RESERVATION_STATE_"


@asks(app)
async def tail(
    session: Session,
    backlog: Annotated[int, typer.Option("-n", "--backlog", min=0, max=1000, help="How many older requests first.")] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what comes; Ctrl-C ends.")] = True,
    project: Annotated[str | None, typer.Option(help="One project. Default: everything that the key may see.")] = None,
    domain: Annotated[str | None, typer.Option(help="One domain; `-` is all of them.")] = None,
    only: Entries = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Follow requests as they are made and settled."""
    selected = Selection(only or [], period(since, until), backlog)
    if project is not None:
        parent = await session.place(project)
    else:
        parent = await session.domain(domain) if domain is not None else await session.whole()
    stub = observability_pb2_grpc.ObservabilityServiceStub(session.channel("observability"))
    request = observability_pb2.TailRequest(parent=parent, backlog=selected.backlog)
    async for answer in _answers(stub, request, follow=follow and not selected.ended):
        for entry in selected.of(answer.entries):
            if session.output.as_json:
                session.output.data(as_dict(entry))
            else:
                session.output.line(row(entry))
        if answer.lost:
            session.output.line(f"… {answer.lost} requests came faster than they could be shown")


async def _answers(
    stub: observability_pb2_grpc.ObservabilityServiceStub, request: observability_pb2.TailRequest, *, follow: bool
) -> AsyncIterator[observability_pb2.TailResponse]:
    """What the stream tells; it is begun anew where it reaches its maximum age. Without following, only the backlog."""
    while True:
        call = stub.Tail(request)
        try:
            async for answer in _messages(call, follow=follow):
                yield answer
                request.resume_token = answer.resume_token or request.resume_token
        finally:
            call.cancel()
        if not follow:
            return
        request.backlog = 0


async def _messages(call: AsyncIterable[observability_pb2.TailResponse], *, follow: bool) -> AsyncIterator[observability_pb2.TailResponse]:
    """The stream's messages; without following, until it pauses: the backlog comes without a pause."""
    messages = aiter(call)
    while True:
        try:
            yield await (anext(messages) if follow else asyncio.wait_for(anext(messages), _PAUSE))
        except (StopAsyncIteration, TimeoutError):
            return


def row(entry: usage_pb2.LedgerEntry) -> str:
    """A request in columns. What it costs is a bound until it has ended."""
    state = usage_pb2.ReservationState.Name(entry.state).removeprefix(_PREFIX).lower()
    usage = [line.usage.usage for line in entry.lines]
    tokens = f"{sum(each.input_tokens for each in usage)} in, {sum(each.output_tokens for each in usage)} out"
    model = entry.lines[-1].model.rpartition("/")[2] if entry.lines else ""
    failed = next((line.usage.error_reason for line in reversed(entry.lines) if line.usage.error_reason), entry.refused_reason)
    held = entry.state == usage_pb2.RESERVATION_STATE_HELD
    cost = f"≤ {amount(entry.reserved)}" if held else amount(entry.charged)
    parts = (time_text(entry.reserve_time), f"{state:<9}", f"{entry.alias:<20}", f"{model:<20}", f"{cost:<16}", tokens)
    return "  ".join([*parts, *(note for note in (failed, _screened(entry)) if note)])


def _screened(entry: usage_pb2.LedgerEntry) -> str:
    """What screening found, both ways."""
    screening = screened_text(entry.screened)
    return f"screened: {screening}" if screening else ""
