"""`llm-mesh budgets`: what projects may spend, and what they have spent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.changing import checked
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import DRY_RUN, LOOSENING, deleted
from llm_mesh_cli.session import Session, domain_name, project_name
from llm_mesh_cli.texts import amount, money, time_text
from llm_mesh_cli.unbudgeted import binding

app = typer.Typer(no_args_is_help=True, help="Show, set and delete what projects may spend.")
BUDGETS = Noun("budget", "budgets", "Budget", service="policy", stub=ledger_pb2_grpc.LedgerServiceStub, messages=ledger_pb2, columns=())
Project = Annotated[str | None, typer.Option("--project", help="`triage`, `claims/triage` or a resource name. Default: the caller's own.")]
Name = Annotated[str, typer.Option("--name", help="A budget of the platform: its id, or its resource name.")]
_PERIOD = "BUDGET_PERIOD_"


class Period(StrEnum):
    """How often a budget begins anew."""

    TOTAL = "total"
    DAILY = "daily"
    MONTHLY = "monthly"


@asks(app)
async def show(session: Session, project: Project = None, name: Name = "") -> None:
    """Show the budgets that bind a project, or with --name one of the platform, with what is spent and held."""
    if name:
        _table(session, [await Calls(session, BUDGETS).one(await _name(session, project, name))])
        return
    place = await session.place(project)
    bound = await binding(session, place)
    if bound:
        _table(session, bound)
        return
    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    await stub.GetProject(identity_pb2.GetProjectRequest(name=place))  # where there is no such project, that is the answer
    session.output.line(f"{place}: unlimited, set one with `llm-mesh budgets set AMOUNT --project {place}`")
    if session.output.as_json:
        session.output.data([])


@asks(app, "list")
async def list_budgets(session: Session, domain: Annotated[str | None, typer.Option(help="The domain.")] = None) -> None:
    """List the budgets of a domain."""
    _table(session, await Calls(session, BUDGETS).listed(await session.domain(domain)))


@asks(app, "set")
async def put_budget(
    session: Session,
    amount_: Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="Such as 25 or '25 USD'. Needed for a new budget.")] = None,
    project: Project = None,
    name: Name = "",
    subject: Annotated[str, typer.Option(help="Whom a budget of the platform binds: `claims`, or `claims/triage`.")] = "",
    period: Annotated[Period | None, typer.Option(help="How often it begins anew, in UTC. A new budget: monthly.")] = None,
    dry_run: DRY_RUN = False,
    allow_loosening: LOOSENING = False,
) -> None:
    """Set a budget: a project's, or with --name one of the platform. What is not named stays; a closed budget opens again."""
    full = await _name(session, project, name)
    before = await Calls(session, BUDGETS).existing(full)
    if before is None and amount_ is None:
        raise CommandError(f"{full} does not exist yet: give an amount", Exit.USAGE)
    after = ledger_pb2.Budget(name=full, period="BUDGET_PERIOD_MONTHLY")
    if before is not None:
        after.CopyFrom(before)
    if amount_ is not None:
        after.amount.CopyFrom(money(amount_, session.mesh.currency))
    if period is not None:
        after.MergeFrom(ledger_pb2.Budget(period=f"{_PERIOD}{period.name}"))
    if subject:
        after.subject = project_name(subject) if "/" in subject else domain_name(subject)
    change = checked(session, before, after, loosens=allow_loosening, dry_run=dry_run)
    opens = before is not None and before.HasField("close_time") and not dry_run
    if change is not None or opens:
        _table(session, [await Calls(session, BUDGETS).change(before, after, after, ())])


@asks(app)
async def delete(session: Session, project: Project = None, name: Name = "") -> None:
    """Delete a project's budget, or with --name one of the platform: nothing of it is bound any more."""
    full = await _name(session, project, name)
    await Calls(session, BUDGETS).delete(full)
    deleted(session, full)


async def _name(session: Session, project: str | None, name: str) -> str:
    if not name:
        return f"{await session.place(project)}/budget"
    if project is not None:
        raise CommandError("give --project or --name, not both: --name is of a budget of the platform", Exit.USAGE)
    return await resource_name(session, BUDGETS.plural, name, "platform")


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
