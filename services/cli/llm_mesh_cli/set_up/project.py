"""The first project: a domain, a principal that uses models, and a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, rules_pb2, rules_pb2_grpc
from llm_mesh_cli.naming import SHARED

if TYPE_CHECKING:
    import grpc

DOMAIN = "domains/default"
PROJECT = f"{DOMAIN}/projects/default"
PRINCIPAL = f"{DOMAIN}/principals/application"
PLATFORM = "domains/platform"


async def first_project_key(channel: Callable[[str], grpc.aio.Channel], admin: tuple[tuple[str, str], ...] = ()) -> str:
    """Make what is missing of the first project, and a new key to it. `admin` has the credential where the channel carries none."""
    policy = channel("policy")
    await rules_pb2_grpc.RuleServiceStub(policy).ApplyPolicy(wanted_policy(), metadata=admin)
    key = identity_pb2.Key(principal=PRINCIPAL, display_name="First project key")
    request = identity_pb2.CreateKeyRequest(parent=PROJECT, key=key)
    return (await identity_pb2_grpc.IdentityServiceStub(policy).CreateKey(request, metadata=admin)).secret


def wanted_policy() -> rules_pb2.ApplyPolicyRequest:
    """The domain and project that a newcomer starts with, and the domain of what all share."""
    return rules_pb2.ApplyPolicyRequest(
        parent=PLATFORM,
        domains=[
            identity_pb2.Domain(name=DOMAIN, display_name="Default"),
            identity_pb2.Domain(name=SHARED, display_name="Shared with all domains"),
        ],
        projects=[identity_pb2.Project(name=PROJECT, display_name="Default")],
        principals=[identity_pb2.Principal(name=PRINCIPAL, display_name="First application")],
        bindings=[
            rules_pb2.Binding(name=f"{DOMAIN}/bindings/application", principal=PRINCIPAL, role="roles/application"),
        ],
    )
