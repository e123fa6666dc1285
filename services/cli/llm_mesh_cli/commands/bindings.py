"""`llm-mesh bindings`: who holds which role."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.policy.v1 import rules_pb2, rules_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import deleted, register, show_all
from llm_mesh_cli.session import Session
from llm_mesh_cli.shown import enum_text

BINDINGS = Noun(
    "binding",
    "bindings",
    "Binding",
    service="policy",
    stub=rules_pb2_grpc.RuleServiceStub,
    messages=rules_pb2,
    columns=(
        ("BINDING", lambda one: str(one.name)),
        ("PRINCIPAL", lambda one: str(one.principal)),
        ("ROLE", lambda one: str(one.role)),
        ("SCOPE", lambda one: str(one.scope)),
        ("STATE", lambda one: enum_text(rules_pb2.BindingState.DESCRIPTOR, one.state)),
    ),
    options=(
        Option("principal", "--principal", "Who gets the role: `ana`, `claims/ana` or a resource name.", refers_to="principals"),
        Option("role", "--role", "A built-in role such as `developer`, a role of the domain, or a resource name.", refers_to="roles"),
        Option("scope", "--scope", "Where it holds: `projects/triage`, a domain, or `*`. Default: the domain.", refers_to="projects"),
    ),
)
app = typer.Typer(no_args_is_help=True, help="Show, create, accept, reject and delete bindings of roles.")
register(app, BINDINGS, without=("list",))
Name = Annotated[str, typer.Argument(help="The binding: `sales/ana-viewer` or a resource name.")]
Principal = Annotated[str, typer.Option("--principal", help="The principal of one's own domain that it names: `ana`, `claims/ana`, …")]


@asks(app, "list")
async def list_bindings(
    session: Session,
    domain: Annotated[str | None, typer.Option("--domain", help="The domain. Default: the caller's own.")] = None,
    foreign: Annotated[bool, typer.Option("--foreign", help="Those of other domains that name principals of this one.")] = False,
) -> None:
    """List who holds which role."""
    show_all(session, BINDINGS, await Calls(session, BINDINGS).listed(await session.domain(domain), foreign=foreign))


@asks(app)
async def accept(session: Session, name: Name, principal: Principal) -> None:
    """Accept what another domain gave to a principal of one's own; until then it grants nothing."""
    binding, holder = await _names(session, name, principal)
    request = rules_pb2.AcceptBindingRequest(name=binding, principal=holder)
    answer = await rules_pb2_grpc.RuleServiceStub(session.channel("policy")).AcceptBinding(request, timeout=30)
    if session.output.as_json:
        session.output.message(answer.binding)
    session.output.line(f"{binding} is {enum_text(rules_pb2.BindingState.DESCRIPTOR, answer.binding.state)}")


@asks(app)
async def reject(session: Session, name: Name, principal: Principal) -> None:
    """Delete what another domain gave to a principal of one's own, pending or active."""
    binding, holder = await _names(session, name, principal)
    request = rules_pb2.RejectBindingRequest(name=binding, principal=holder)
    await rules_pb2_grpc.RuleServiceStub(session.channel("policy")).RejectBinding(request, timeout=30)
    deleted(session, binding)


async def _names(session: Session, binding: str, principal: str) -> tuple[str, str]:
    return await resource_name(session, "bindings", binding), await resource_name(session, "principals", principal)
