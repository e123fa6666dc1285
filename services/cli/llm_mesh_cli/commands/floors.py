"""`llm-mesh floors`: what the platform sets about domains, and no domain lifts."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.policy.v1 import floors_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.name_checks import FORCE, check_models, is_model
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.changing import checked
from llm_mesh_cli.nouns.changing import show as show_change
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import DRY_RUN, LOOSENING, deleted
from llm_mesh_cli.session import Session, domain_name

app = typer.Typer(no_args_is_help=True, help="Show and set what the platform sets about domains.")
FLOORS = Noun("floor", "floors", "Floor", service="policy", stub=rules_pb2_grpc.RuleServiceStub, messages=rules_pb2, columns=(), parent="")
_ACTION = "SCREENING_ACTION_"
_EVERY = ("all", "-", "*")
_PLATFORM = "domains/platform"
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="`claims`, a resource name, or `all` for the floor of every domain.")]
Many = list[str] | None


@asks(app, "list")
async def list_floors(session: Session) -> None:
    """List what the platform sets about each domain."""
    _table(session, await Calls(session, FLOORS).listed())


@asks(app)
async def show(session: Session, domain: Domain) -> None:
    """Show a floor whole."""
    session.output.resource(await Calls(session, FLOORS).one(_name(domain)))


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
    force: FORCE = False,
    dry_run: DRY_RUN = False,
    allow_loosening: LOOSENING = False,
) -> None:
    """Set what the options name of a floor; the rest stays as it is."""
    await check_models(session, _PLATFORM, filter(is_model, (*(allow_model or ()), *(deny_model or ()))), force=force)
    before = await Calls(session, FLOORS).existing(_name(domain))
    floor = floors_pb2.Floor(name=_name(domain))
    if before is not None:
        floor.CopyFrom(before)
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
    change = checked(session, before, floor, loosens=allow_loosening, dry_run=dry_run)
    if change is not None:
        _table(session, [await Calls(session, FLOORS).change(before, floor, floor, ())])
        show_change(session, change)


@asks(app)
async def delete(session: Session, domain: Domain) -> None:
    """Delete a floor."""
    await Calls(session, FLOORS).delete(_name(domain))
    deleted(session, _name(domain))


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
