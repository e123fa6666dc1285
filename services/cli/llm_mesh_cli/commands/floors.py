"""`llm-mesh floors`: what the platform sets about domains, and no domain lifts."""

from __future__ import annotations

from typing import Annotated

import grpc
import typer

from llm_mesh.policy.v1 import floors_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session, domain_name

app = typer.Typer(no_args_is_help=True, help="Show and set what the platform sets about domains.")
_ACTION = "SCREENING_ACTION_"
_EVERY = ("all", "-", "*")
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="`claims`, a resource name, or `all` for the floor of every domain.")]
Many = list[str] | None


@asks(app, "list")
async def list_floors(session: Session) -> None:
    """List the floors."""
    stub = _rules(session)
    _table(session, [floor async for answer in pages(stub.ListFloors, rules_pb2.ListFloorsRequest()) for floor in answer.floors])


@asks(app)
async def show(session: Session, domain: Domain) -> None:
    """Show a floor whole."""
    answer = await _rules(session).GetFloor(rules_pb2.GetFloorRequest(name=_name(domain)))
    session.output.message(answer.floor)


@asks(app, "set")
async def put(
    session: Session,
    domain: Domain,
    region: Annotated[Many, typer.Option(help="A region where data may be processed. Repeat it; `''` for anywhere.")] = None,
    minimum_data_class: Annotated[Many, typer.Option(help="A data class that requests have at least. Repeat it; `''` for none.")] = None,
    data_class: Annotated[Many, typer.Option(help="A data class that may be processed. Repeat it; `''` for all.")] = None,
    zero_retention: Annotated[bool | None, typer.Option(help="Whether providers must not keep data.")] = None,
    adapter: Annotated[Many, typer.Option(help="An adapter that may be used. Repeat it; `''` for all.")] = None,
    endpoint: Annotated[Many, typer.Option(help="An endpoint that may be used, ADAPTER/ENDPOINT. Repeat it; `''` for all.")] = None,
    screen: Annotated[
        Many, typer.Option(help="What screening does at least, DETECTOR=log|mask|block. Repeat it; `''` for nothing.")
    ] = None,
    publish_to: Annotated[Many, typer.Option(help="A domain that it may offer to; `-` for none. Repeat it; `''` for all.")] = None,
    accept_from: Annotated[Many, typer.Option(help="A domain that it may accept from; `-` for none. Repeat it; `''` for all.")] = None,
    max_output_tokens: Annotated[int | None, typer.Option(min=0, help="Most output tokens per choice. 0: no bound.")] = None,
    allow_model: Annotated[Many, typer.Option(help="A model that may be called, by resource name. Repeat it; `''` for all.")] = None,
    deny_model: Annotated[Many, typer.Option(help="A model that must not be called. Repeat it; `''` for none.")] = None,
) -> None:
    """Set what the options name of a floor; the rest stays as it is."""
    floor = await _present(session, _name(domain))
    lists = {
        "regions": region,
        "minimum_data_classes": minimum_data_class,
        "data_classes": data_class,
        "allowed_adapters": adapter,
        "allowed_endpoints": endpoint,
        "may_publish_to": _domains(publish_to),
        "may_accept_from": _domains(accept_from),
        "allowed_models": allow_model,
        "denied_models": deny_model,
    }
    for field, values in lists.items():
        if values is not None:
            floor.ClearField(field)
            getattr(floor, field).extend(value for value in values if value)
    if screen is not None:
        floor.ClearField("screening")
        floor.screening.extend(_screening(rule) for rule in screen if rule)
    if zero_retention is not None:
        floor.zero_retention = zero_retention
    if max_output_tokens is not None:
        floor.max_output_tokens = max_output_tokens
    answer = await _rules(session).PutFloor(rules_pb2.PutFloorRequest(floor=floor))
    _table(session, [answer.floor])


@asks(app)
async def delete(session: Session, domain: Domain) -> None:
    """Delete a floor."""
    name = _name(domain)
    await _rules(session).DeleteFloor(rules_pb2.DeleteFloorRequest(name=name))
    session.output.line(f"{name} is deleted")


async def _present(session: Session, name: str) -> floors_pb2.Floor:
    """The floor as it is, with its etag; a new one where there is none."""
    try:
        return (await _rules(session).GetFloor(rules_pb2.GetFloorRequest(name=name))).floor
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
        return floors_pb2.Floor(name=name)


def _domains(names: list[str] | None) -> list[str] | None:
    """`claims` as `domains/claims`; `-`, for none, stays."""
    return names and [each if each in {"", "-"} else domain_name(each) for each in names]


def _screening(rule: str) -> floors_pb2.ScreeningRule:
    detector, _, action = rule.partition("=")
    known = {name.removeprefix(_ACTION).lower(): number for name, number in floors_pb2.ScreeningAction.items() if number}
    if action not in known:
        raise CommandError(f"{rule!r} is no rule of screening; expected DETECTOR={'|'.join(known)}", Exit.USAGE)
    return floors_pb2.ScreeningRule(detector=detector, action=floors_pb2.ScreeningAction.Name(known[action]))


def _name(domain: str) -> str:
    if domain in _EVERY:
        return "domains/platform/floors/-"
    return domain if "/floors/" in domain else f"domains/platform/floors/{domain.removeprefix('domains/')}"


def _table(session: Session, floors: list[floors_pb2.Floor]) -> None:
    rows = [
        (
            "(every domain)" if floor.name.endswith("/-") else floor.name.rpartition("/")[2],
            ", ".join(floor.regions),
            ", ".join(floor.minimum_data_classes),
            ", ".join((*floor.allowed_adapters, *floor.allowed_endpoints)),
            "zero" if floor.zero_retention else "",
            ", ".join(
                f"{rule.detector}={floors_pb2.ScreeningAction.Name(rule.action)[len(_ACTION) :].lower()}" for rule in floor.screening
            ),
            f"{floor.max_output_tokens:,}" if floor.max_output_tokens else "",
        )
        for floor in floors
    ]
    session.output.table(("DOMAIN", "REGIONS", "CLASS AT LEAST", "ADAPTERS", "RETENTION", "SCREENING", "OUTPUT TOKENS"), rows, floors)


def _rules(session: Session) -> rules_pb2_grpc.RuleServiceStub:
    return rules_pb2_grpc.RuleServiceStub(session.channel("policy"))
