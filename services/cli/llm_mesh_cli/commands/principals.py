"""`llm-mesh principals`: people and applications, and what they may do."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.policy.v1 import errors_pb2, identity_pb2, identity_pb2_grpc, rules_pb2, rules_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application
from llm_mesh_cli.session import Session

PRINCIPALS = Noun(
    "principal",
    "principals",
    "Principal",
    service="policy",
    stub=identity_pb2_grpc.IdentityServiceStub,
    messages=identity_pb2,
    columns=(
        ("PRINCIPAL", lambda one: str(one.name.rpartition("/")[2])),
        ("NAME", lambda one: str(one.display_name)),
        ("STATE", lambda one: "disabled" if one.disabled else "enabled"),
    ),
    options=(
        Option("display_name", "--display-name", "A name for people."),
        Option("disabled", "--disabled", "None of its credentials is valid."),
    ),
)
app = application(PRINCIPALS, "Show, create and change people and applications.")


@asks(app)
async def explain(
    session: Session,
    name: Annotated[str, typer.Argument(help="`ana`, `claims/ana` or a resource name.")],
    action: Annotated[str, typer.Argument(help="Such as `models.generate` or `budgets.put`.")],
    resource: Annotated[str, typer.Argument(help="A resource name, such as `domains/claims/projects/triage/models/sim-echo`.")],
    domain: Annotated[str | None, typer.Option("--domain", help="The domain that is asked. Default: the principal's.")] = None,
    credential: Annotated[str, typer.Option("--with-key", help="The resource name of the key by which it would ask. Default: any.")] = "",
) -> None:
    """Show whether a principal may do something, by which role, and what stands against it. Changes nothing."""
    principal = await resource_name(session, PRINCIPALS.plural, name, domain)
    parent = await session.domain(domain) if domain is not None else principal.partition("/principals/")[0]
    stub = rules_pb2_grpc.RuleServiceStub(session.channel("policy"))
    request = rules_pb2.ExplainRequest(parent=parent, principal=principal, action=action, resource=resource, key=credential)
    answer = await stub.Explain(request, timeout=30)
    if session.output.as_json:
        session.output.message(answer)
        return
    session.output.line(f"{principal} {'may' if answer.allowed else 'may not'} {action} {resource}")
    for ground in answer.grounds:
        session.output.line(f"  granted by {ground.binding.role} in {ground.binding.scope or parent} ({ground.binding.name})")
    for obstacle in answer.obstacles:
        reason = errors_pb2.ErrorReason.Name(obstacle.reason).removeprefix("ERROR_REASON_")
        session.output.line(f"  refused: {obstacle.detail} ({reason})")
