"""`llm-mesh limits`: bounds of requests, tokens and concurrency."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.name_checks import FORCE, MODEL_SUBJECT, check_models
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.changing import checked, show
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import DOMAIN, DRY_RUN, LOOSENING, register
from llm_mesh_cli.session import Session, subject_name
from llm_mesh_cli.texts import duration

LIMITS = Noun("limit", "limits", "Limit", service="policy", stub=ledger_pb2_grpc.LedgerServiceStub, messages=ledger_pb2, columns=())
app = typer.Typer(no_args_is_help=True, help="Show, set and delete limits of requests, tokens and concurrency.")
register(app, LIMITS, without=("list", "set"))
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
async def list_limits(session: Session, domain: DOMAIN = None) -> None:
    """List the limits of a domain."""
    _table(session, await Calls(session, LIMITS).listed(await session.domain(domain)))


@asks(app, "set")
async def put_limit(
    session: Session,
    name: Annotated[str, typer.Argument(help="`calm`, `claims/calm` or a resource name.")],
    amount: Annotated[int | None, typer.Argument(metavar="[AMOUNT]", min=0, help="How much. Needed for a new limit.")] = None,
    metric: Annotated[Metric | None, typer.Option(help="What it bounds. A new limit: requests.")] = None,
    per: Annotated[str | None, typer.Option(help="Per how long, such as 1m or 24h. A new limit: 1m. Not with concurrency.")] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            help="Whom it binds: `projects/triage`, `principals/ana`, `model:shared/sim-echo`, `tag:KEY=VALUE`, or a resource name. "
            "A new limit: the domain."
        ),
    ] = None,
    tag_required: Annotated[
        bool | None, typer.Option("--tag-required/--no-tag-required", help="Requests without the subject's tag are refused.")
    ] = None,
    domain: DOMAIN = None,
    force: FORCE = False,
    dry_run: DRY_RUN = False,
    allow_loosening: LOOSENING = False,
) -> None:
    """Set a limit. What is not named of one that exists stays."""
    full = await resource_name(session, LIMITS.plural, name, domain)
    owner = full.partition("/limits/")[0]
    before = await Calls(session, LIMITS).existing(full)
    after = ledger_pb2.Limit(name=full, subject=owner, metric="LIMIT_METRIC_REQUESTS")
    if before is not None:
        after.CopyFrom(before)
    elif amount is None:
        raise CommandError(f"{full} does not exist yet: give an amount", Exit.USAGE)
    if amount is not None:
        after.amount = amount
    if metric is not None:
        after.MergeFrom(ledger_pb2.Limit(metric=f"{_METRIC}{metric.name}"))
    if subject is not None:
        after.subject = await _subject(session, owner, subject, force=force)
    if tag_required is not None:
        after.tag_required = tag_required
    if after.metric == ledger_pb2.LIMIT_METRIC_CONCURRENCY:
        after.ClearField("window")
    elif per is not None or not after.HasField("window"):
        after.window.FromTimedelta(duration(per or "1m"))
    change = checked(session, before, after, loosens=allow_loosening, dry_run=dry_run)
    if change is not None:
        _table(session, [await Calls(session, LIMITS).change(before, after, after, ())])
        show(session, change)


async def _subject(session: Session, owner: str, text: str, *, force: bool) -> str:
    """Whom a limit binds. NOT_FOUND where that is a model that does not exist."""
    subject = subject_name(owner, text)
    if subject.startswith(MODEL_SUBJECT):
        await check_models(session, owner, [subject.removeprefix(MODEL_SUBJECT)], force=force)
    return subject


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
