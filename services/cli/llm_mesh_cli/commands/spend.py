"""`llm-mesh spend`: sums of what was spent, as observability projects the ledger."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.filtering import Until, period
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount

app = typer.Typer()


class By(StrEnum):
    """What spend is summed by."""

    DOMAIN = "domain"
    PROJECT = "project"
    KEY = "key"
    PRINCIPAL = "principal"
    MODEL = "model"
    ALIAS = "alias"
    TAG = "tag"
    HOUR = "hour"
    DAY = "day"


@asks(app)
async def spend(
    session: Session,
    by: Annotated[list[By] | None, typer.Option("--by", help="What to sum by; repeatable, at most four. Default: model.")] = None,
    tag: Annotated[str, typer.Option(help="The key of a tag, such as `team`, with --by tag.")] = "",
    since: Annotated[str, typer.Option(help="From when on: `24h`, `30d`, or a time.")] = "30d",
    until: Until = None,
    project: Annotated[str | None, typer.Option(help="One project. Default: everything that the key may see.")] = None,
    domain: Annotated[str | None, typer.Option(help="One domain; `-` is all of them.")] = None,
) -> None:
    """Sum what was spent."""
    dimensions = by or ([By.TAG] if tag else [By.MODEL])
    if (By.TAG in dimensions) != bool(tag):
        raise CommandError("--by tag and --tag KEY go together: --tag names the tag whose values are summed by", Exit.USAGE)
    request = observability_pb2.QuerySpendRequest(
        parent=await _parent(session, project, domain),
        group_by=[getattr(observability_pb2, f"SPEND_DIMENSION_{each.name}") for each in dimensions],
        tag_key=tag,
    )
    begin, end = period(since, until)
    if begin is not None:
        request.start_time.FromDatetime(begin)
    if end is not None:
        request.end_time.FromDatetime(end)
    stub = observability_pb2_grpc.ObservabilityServiceStub(session.channel("observability"))
    answers = [answer async for answer in pages(stub.QuerySpend, request)]
    rows = [row for answer in answers for row in answer.rows]
    if session.output.as_json:
        session.output.data({"rows": [as_dict(row) for row in rows], "throughSequence": str(answers[-1].through_sequence)})
        return
    shown = [
        (
            *(key or "(none)" for key in row.keys),
            amount(row.charged),
            *(str(count) for count in (row.requests, row.failed, row.input_tokens, row.output_tokens)),
        )
        for row in rows
    ]
    titles = [each.value.upper() for each in dimensions]
    session.output.table((*titles, "CHARGED", "REQUESTS", "FAILED", "INPUT TOKENS", "OUTPUT TOKENS"), shown)


async def _parent(session: Session, project: str | None, domain: str | None) -> str:
    if project is not None:
        return await session.place(project)
    if domain is not None:
        return await session.domain(domain)
    return await session.whole()
