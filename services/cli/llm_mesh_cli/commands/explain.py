"""`llm-mesh explain`: why a request went where it went, or nowhere."""

from __future__ import annotations

from typing import Annotated

import grpc
import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, rules_pb2, rules_pb2_grpc, usage_pb2
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_cli import decisions
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount
from llm_mesh_cli.visible import on_one_line

app = typer.Typer()
_STATE = "RESERVATION_STATE_"


@asks(app)
async def explain(
    session: Session,
    what: Annotated[
        str, typer.Argument(help="A decision (header x-llm-mesh-decision), a request id (x-request-id) or a reservation's name.")
    ],
    domain: Annotated[str | None, typer.Option("--domain", help="The domain of the request. Default: the caller's own.")] = None,
) -> None:
    """Show which models could have answered a request, what excluded them, and how the attempts went."""
    stub = router_pb2_grpc.RouterServiceStub(session.channel("router"))
    question = await decisions.question(session, what, domain)
    try:
        decision = await stub.ExplainDecision(question)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        raise CommandError(_unknown(what, question), Exit.NOT_FOUND) from error
    entries, note = await _entries(session, decision)
    if session.output.as_json:
        session.output.data({"decision": as_dict(decision), "entries": [as_dict(entry) for entry in entries]})
        return
    session.output.line(decisions.heading(decision))
    if decision.candidates:
        session.output.table(decisions.CANDIDATE_TITLES, decisions.candidates(decision))
    else:
        session.output.line(decisions.nothing(decision))
    for entry in entries:
        why = f" by {refusal}" if (refusal := decisions.refusal(entry)) else ""
        session.output.line(f"\n{entry.name}: {_state(entry)}{why}, {amount(entry.charged)} charged")
        session.output.table(decisions.ATTEMPT_TITLES, [decisions.attempt(line) for line in entry.lines])
    if note:
        session.output.line(f"\n{note}")


def _unknown(what: str, question: router_pb2.ExplainDecisionRequest) -> str:
    kind = "request" if question.request_id else "decision"
    domain = question.name.partition("/routeDecisions/")[0]
    return (
        f"there is no {kind} {what} of {domain}, or it is not yours to see: decisions are kept for an hour at least, whoever made a "
        "request may explain it, and --domain names another domain. What policy refused before a route was looked for (MODEL_DENIED, "
        "FLOOR_CONFLICT) has none: its answer says why, and `llm-mesh principals explain` what it would get now"
    )


async def _entries(session: Session, decision: router_pb2.ExplainDecisionResponse) -> tuple[list[usage_pb2.LedgerEntry], str]:
    """The ledger's entries of the decision, and what is to be said where there are none."""
    domain, _, decision_id = decision.name.partition("/routeDecisions/")
    request = ledger_pb2.ListLedgerEntriesRequest(parent=f"{domain}/projects/-", request_id=decision.request_id)
    ledger = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    try:
        ledger_entries = [entry async for answer in pages(ledger.ListLedgerEntries, request) for entry in answer.entries]
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        return [], "How the attempts went is shown to those who may list the ledger (reservations.list), such as developers."
    entries = [entry for entry in ledger_entries if entry.decision_id == decision_id]
    return entries, "" if entries else await _why_nothing_was_sent(session, domain, decision.request_id)


async def _why_nothing_was_sent(session: Session, domain: str, request_id: str) -> str:
    """From the audit trail, where the caller may read it: a budget or a limit leaves no entry, but a record."""
    rules = rules_pb2_grpc.RuleServiceStub(session.channel("policy"))
    request = rules_pb2.ListAuditRecordsRequest(parent=domain, request_id=request_id)
    try:
        refused = [one async for answer in pages(rules.ListAuditRecords, request) for one in answer.records if not one.allowed]
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        refused = []
    why = "".join(f" Refused at {one.action}: {on_one_line(one.detail)}." for one in refused)
    return f"No attempt was made: nothing stands in the ledger.{why}"


def _state(entry: usage_pb2.LedgerEntry) -> str:
    return usage_pb2.ReservationState.Name(entry.state).removeprefix(_STATE).lower()
