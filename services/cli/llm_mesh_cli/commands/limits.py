"""`llm-mesh limits`: bounds of requests, tokens and concurrency."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session, subject_name
from llm_mesh_cli.texts import duration

app = typer.Typer(no_args_is_help=True, help="Show and set limits of requests, tokens and concurrency.")
Domain = Annotated[str | None, typer.Option("--domain", help="The domain. Default: the caller's own.")]
_METRIC = "LIMIT_METRIC_"
_PLATFORM = "domains/platform/"
"""Limits that the platform set, which a domain cannot change, are shown by their whole name."""


class Metric(StrEnum):
    """What a limit bounds."""

    REQUESTS = "requests"
    CONCURRENCY = "concurrency"
    INPUT_TOKENS = "input-tokens"
    OUTPUT_TOKENS = "output-tokens"
    TOKENS = "tokens"


@asks(app, "list")
async def list_limits(session: Session, domain: Domain = None) -> None:
    """List the limits of a domain."""
    request = ledger_pb2.ListLimitsRequest(parent=await session.domain(domain))
    _table(session, [limit async for answer in pages(_ledger(session).ListLimits, request) for limit in answer.limits])


@asks(app, "set")
async def put(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its id within the domain, or its resource name.")],
    amount: Annotated[int, typer.Argument(min=0, help="How much.")],
    metric: Annotated[Metric, typer.Option(help="What it bounds.")] = Metric.REQUESTS,
    per: Annotated[str, typer.Option(help="Per how long, such as 1m or 24h. Not with concurrency.")] = "1m",
    subject: Annotated[
        str,
        typer.Option(
            help="Whom it binds: `projects/triage`, `principals/ana`, `model:shared/sim-echo`, `tag:KEY=VALUE`, or a resource name. "
            "Default: the domain."
        ),
    ] = "",
    domain: Domain = None,
) -> None:
    """Set a limit."""
    parent = await session.domain(domain)
    limit = ledger_pb2.Limit(
        name=name if "/" in name else f"{parent}/limits/{name}",
        subject=subject_name(parent, subject),
        metric=f"{_METRIC}{metric.name}",
        amount=amount,
    )
    if metric is not Metric.CONCURRENCY:
        limit.window.FromTimedelta(duration(per))
    answer = await _ledger(session).PutLimit(ledger_pb2.PutLimitRequest(limit=limit))
    _table(session, [answer.limit])


@asks(app)
async def delete(
    session: Session, name: Annotated[str, typer.Argument(help="Its id, or its resource name.")], domain: Domain = None
) -> None:
    """Delete a limit."""
    full = name if "/" in name else f"{await session.domain(domain)}/limits/{name}"
    if not full.startswith("domains/"):
        raise CommandError(f"{name} is no limit's name", Exit.USAGE)
    await _ledger(session).DeleteLimit(ledger_pb2.DeleteLimitRequest(name=full))
    session.output.line(f"{full} is deleted")


def _table(session: Session, limits: list[ledger_pb2.Limit]) -> None:
    rows = [
        (
            limit.name.removeprefix("domains/") if limit.name.startswith(_PLATFORM) else limit.name.rpartition("/")[2],
            limit.subject,
            ledger_pb2.LimitMetric.Name(limit.metric).removeprefix(_METRIC).lower().replace("_", "-"),
            f"{limit.amount:,}",
            f"{limit.window.seconds:,} s" if limit.window.seconds else "",
        )
        for limit in limits
    ]
    session.output.table(("LIMIT", "SUBJECT", "METRIC", "AMOUNT", "PER"), rows, limits)


def _ledger(session: Session) -> ledger_pb2_grpc.LedgerServiceStub:
    return ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
