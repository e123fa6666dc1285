"""A service installs alone: each member declares exactly what it imports, so that its lock holds what it needs and no more."""

import ast
import re
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.repository import Member, members, relative

# Loaded by name, not by import: drivers, event loops, parsers, plugins, and libraries in a process of their own.
BY_NAME = {"any-llm-sdk", "httptools", "litellm", "psycopg", "uvloop"}
# A floor under what another dependency brings.
FLOORS = {"simpleeval"}
# Packages whose name on disk several distributions share, the longest prefix first.
SHARED = {
    "google.protobuf": "protobuf",
    "google.auth": "google-auth",
    "google.oauth2": "google-auth",
    "google": "googleapis-common-protos",
    "opentelemetry.exporter": "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
    "llm_mesh": "llm-mesh-protos",
}


def normal(requirement: str) -> str:
    """The name of the distribution that a requirement asks for."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def declared(member: Member) -> dict[str, str]:
    """Distributions that a member asks for, with its extras', by name."""
    extras = member.project.get("optional-dependencies", {}).values()
    wanted = [*member.project["dependencies"], *(line for lines in extras for line in lines)]
    return {normal(line): line for line in wanted}


def brought(member: Member) -> set[str]:
    """What the extras that a member chooses of the runtime bring along."""
    runtime = next(other for other in members() if other.package == "llm_mesh_runtime")
    line = declared(member).get("llm-mesh-runtime", "")
    chosen = re.findall(r"\w+", line.partition("[")[2].partition("]")[0])
    return {normal(wanted) for extra in chosen for wanted in runtime.project["optional-dependencies"][extra]}


def imports(member: Member) -> dict[str, str]:
    """Third-party distributions that a member imports, each with one module that does."""
    distributions = packages_distributions()
    found: dict[str, str] = {}
    for path in member.modules:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
                if node.module == "google":
                    names = [f"google.{alias.name}" for alias in node.names]
            for name in names:
                for distribution in _distributions(name, distributions):
                    found.setdefault(distribution, relative(path))
    return found


def _distributions(module: str, known: Mapping[str, list[str]]) -> list[str]:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return []
    shared = [name for prefix, name in SHARED.items() if module == prefix or module.startswith(prefix + ".")]
    return shared[:1] or sorted({normal(name) for name in known.get(top, [top.replace("_", "-")])})


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_a_member_declares_what_it_imports(member: Member) -> None:
    own = member.project["name"]
    available = declared(member).keys() | brought(member) | {own}
    assert {name: where for name, where in imports(member).items() if name not in available} == {}


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_a_member_imports_what_it_declares(member: Member) -> None:
    assert sorted(declared(member).keys() - imports(member).keys() - BY_NAME - FLOORS) == []
