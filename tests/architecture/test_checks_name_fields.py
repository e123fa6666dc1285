"""Every check of a request names a field that its request has: read from the code of all services, against their contracts.

These are the checks that no rule of a field says; `tests/contract/test_every_rule_fails_once.py` has the rules. That each check of a
request for inference fails once, through each door, is in `tests/edge/test_every_check_fails_once.py`.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from llm_mesh_policy.domain.model_uses import OPERATIONS
from tests.architecture.repository import ROOT
from tests.edge.test_every_field_name import literal

SERVICES = ROOT / "services"
CONTRACTS = {
    "catalogue": ("catalogue.v1.catalogue_pb2",),
    "gateway": ("gateway.v1.gateway_pb2",),
    "observability": ("observability.v1.observability_pb2",),
    "policy": (
        *(f"policy.v1.{each}_pb2" for each in ("policy", "identity", "rules", "ledger", "floors", "admission", "usage")),
        "router.v1.plan_pb2",
    ),
    "registry": ("registry.v1.registry_pb2",),
    "router": ("router.v1.router_pb2",),
}
"""Where the requests of a service are."""
SHARED = tuple(
    f"inference.v1.{each}_pb2" for each in ("assess", "content", "embed", "generate", "generate_image", "moderate", "rerank", "sound")
)
NOT_FIELDS = {
    "admission.constraints.max_output_tokens": "stands within the sealed admission, which services alone read",
    "plan.attempt[*].max_input_tokens": "a plan is a tree: its attempts are named by their ids, to the gateway alone",
    "plan.attempt[*].max_output_tokens": "likewise",
    "plan.attempt[*].*": "likewise",
    "plan.attempt[*].units.*": "likewise",
}
"""What a check names that no request has, with the reason."""


class Check(NamedTuple):
    """One call of `invalid`."""

    service: str
    where: str
    field: str
    """`*` stands for what depends on the request."""


def checks() -> Iterator[Check]:
    for service in CONTRACTS:
        for file in sorted((SERVICES / service).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "invalid" and node.args:
                    yield Check(service, f"{file.relative_to(SERVICES)}:{node.lineno}", literal(node.args[0]))


def messages(service: str) -> list[Any]:
    """All messages of a service's contract, and those that it shares."""
    found = []
    for module in (*CONTRACTS[service], *SHARED):
        found += importlib.import_module(f"llm_mesh.{module}").DESCRIPTOR.message_types_by_name.values()
    return found


def leads(descriptor: Any, names: list[str]) -> bool:
    """Whether names lead to a field, one below the other. What is behind a map is a key of it, and its value's."""
    for place, name in enumerate(names):
        if descriptor is None:
            return False
        if name == "*":
            return True
        found = descriptor.fields_by_name.get(name)
        if found is None:
            return name in descriptor.oneofs_by_name and place == len(names) - 1
        descriptor = found.message_type
        if descriptor is not None and descriptor.GetOptions().map_entry:
            return len(names) - place <= 2
    return True


def names_of(field: str) -> list[str]:
    """The names of a path, without indices; those before the first known one depend on the request."""
    names = re.sub(r"\[[^\]]*\]", "", field).split(".")
    while names and names[0] in {"*", ""}:
        names.pop(0)
    return names


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_check_names_a_field_of_a_request(service: str) -> None:
    known = messages(service)
    wrong = []
    for check in checks():
        names = names_of(check.field) if check.service == service else []
        if names and names[0] in {"input", *OPERATIONS}:
            names = names[1:]  # as policy is asked, or the gateway, which renames it
        if names and check.field not in NOT_FIELDS and not any(leads(each, names) for each in known):
            wrong.append((check.where, check.field))
    assert not wrong, wrong


def test_checks_are_found() -> None:
    found = list(checks())
    assert len(found) > 120
    assert len([check for check in found if names_of(check.field)]) > 90


def test_a_path_that_leads_nowhere_is_found() -> None:
    known = messages("router")
    assert any(leads(each, names_of("route.targets[*].model")) for each in known)
    assert not any(leads(each, names_of("route.targets[*].modle")) for each in known)
