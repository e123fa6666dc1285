"""`llm-mesh budget`: what projects may spend, and what they have spent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount, money, time_text
from llm_mesh_cli.unbudgeted import binding

app = typer.Typer(no_args_is_help=True, help="Show and set what projects may spend.")
Project = Annotated[str | None, typer.Option("--project", help="`triage`, `claims/triage` or a resource name. Default: the caller's own.")]
_PERIOD = "BUDGET_PERIOD_"


class Period(StrEnum):
    """How often a budget begins anew."""

    TOTAL = "total"
    DAILY = "daily"
    MONTHLY = "monthly"


@asks(app)
async def show(session: Session, project: Project = None) -> None:
    """Show the budgets that bind a project, with what is spent and held."""
    name = await session.place(project)
    bound = await binding(session, name)
    if bound:
        _table(session, bound)
        return
    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    await stub.GetProject(identity_pb2.GetProjectRequest(name=name))  # where there is no such project, that is the answer
    session.output.line(f"{name}: unlimited, set one with `llm-mesh budget set AMOUNT --project {name}`")
    if session.output.as_json:
        session.output.data([])


@asks(app, "list")
async def list_budgets(session: Session, domain: Annotated[str | None, typer.Option(help="The domain.")] = None) -> None:
    """List the budgets of a domain."""
    request = ledger_pb2.ListBudgetsRequest(parent=await session.domain(domain))
    _table(session, [each async for answer in pages(_ledger(session).ListBudgets, request) for each in answer.budgets])


@asks(app, "set")
async def put(
    session: Session,
    amount_: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 25 or '25 USD'.")],
    project: Project = None,
    period: Annotated[Period, typer.Option(help="How often it begins anew, in UTC.")] = Period.MONTHLY,
) -> None:
    """Set a project's budget; what is spent stays, and a closed budget opens again."""
    place = await session.place(project)
    budget = ledger_pb2.Budget(
        name=f"{place}/budget",
        amount=money(amount_, session.mesh.currency),
        period=f"{_PERIOD}{period.name}",
    )
    answer = await _ledger(session).PutBudget(ledger_pb2.PutBudgetRequest(budget=budget))
    _table(session, [answer.budget])


def _table(session: Session, budgets: list[ledger_pb2.Budget]) -> None:
    rows = [
        (
            budget.subject if budget.name.endswith("/budget") else f"{budget.subject} ({budget.name})",
            amount(budget.amount),
            ledger_pb2.BudgetPeriod.Name(budget.period).removeprefix(_PERIOD).lower(),
            amount(budget.spent),
            amount(budget.held),
            time_text(budget.period_end_time),
            f"closed {time_text(budget.close_time)}" if budget.HasField("close_time") else "open",
        )
        for budget in budgets
    ]
    session.output.table(("SUBJECT", "BUDGET", "PERIOD", "SPENT", "HELD", "BEGINS ANEW", "STATE"), rows, budgets)


def _ledger(session: Session) -> ledger_pb2_grpc.LedgerServiceStub:
    return ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
