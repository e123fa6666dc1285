"""`llm-mesh roles`: named sets of permissions."""

from __future__ import annotations

from llm_mesh.policy.v1 import rules_pb2, rules_pb2_grpc
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application

_SHOWN = 6


def _actions(role: rules_pb2.Role) -> str:
    """The first actions of a role; `show` has all of them."""
    actions = [action for permission in role.permissions for action in permission.actions]
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    return ", ".join(actions[:_SHOWN]) + more


ROLES = Noun(
    "role",
    "roles",
    "Role",
    service="policy",
    stub=rules_pb2_grpc.RuleServiceStub,
    messages=rules_pb2,
    columns=(
        ("ROLE", lambda one: str(one.name if one.built_in else one.name.rpartition("/")[2])),
        ("DESCRIPTION", lambda one: str(one.description)),
        ("MAY", _actions),
    ),
    options=(
        Option("description", "--description", "What it is for."),
        Option(
            "permissions",
            "--permission",
            "An action such as `models.get` or `models.*`, or `{actions: [models.*], resources: [models/*]}`.",
            plain="actions",
        ),
    ),
)
app = application(ROLES, "Show, set and delete roles.")
