"""Whoever knows one service knows all: the same rooms, small files, and nothing that undermines the direction of dependency."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, SLICES_OF, Member, files, members, relative, services

ROOMS = {"__init__", "__main__", "wiring", "settings", "servicer", "domain", "store", "peers", "provider"}
# The HTTP edges speak HTTP where others have a servicer.
ROOMS_OF = {
    "llm_mesh_edge": ROOMS | {"http"},
    "llm_mesh_simulator": ROOMS | {"http"},
}
SLICE_ROOMS = {"__init__", "ports", "servicer", "domain", "store", "peers"}
# The command line is a client, and no service.
WITHOUT_ROOMS = {"llm_mesh_cli"}
# Longer than a reader wants, each with the reason.
LONG = {
    "protos/llm_mesh/policy/v1/identity.proto": "comments: a contract is read from top to bottom, and split by service",
    "protos/llm_mesh/policy/v1/policy.proto": "likewise",
    "protos/llm_mesh/policy/v1/rules.proto": "likewise",
    "protos/llm_mesh/registry/v1/registry.proto": "likewise",
    "protos/llm_mesh/router/v1/router.proto": "likewise",
    "protos/llm_mesh/adapter/v1/adapter.proto": "likewise",
    "protos/llm_mesh/gateway/v1/gateway.proto": "likewise",
    "protos/llm_mesh/inference/v1/generate.proto": "a message stays in the file in which it was published",
}
LONGEST = 400
VAGUE = ("Manager", "Helper", "Helpers", "Util", "Utils", "Base")


def room_problems(package: Path, allowed: set[str]) -> list[str]:
    """Modules and folders of a package that are none of its rooms; a folder of data is no room."""
    present = {path.stem for path in package.iterdir() if path.suffix == ".py" or any(path.glob("**/*.py"))}
    return sorted(present - allowed)


def state(tree: ast.Module) -> list[str]:
    """Module-level names that look mutable: not constants, and bound to an empty or filled list, dict or set."""
    mutable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    found = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if targets and isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, mutable):
            found += [target.id for target in targets if isinstance(target, ast.Name) and target.id.upper() != target.id]
        if isinstance(node, ast.Global):
            found += node.names
    return [name for name in found if not name.startswith("__")]


def stubs(tree: ast.Module) -> list[str]:
    """The generated stubs that a module imports."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names]
    return [name for name in found if name.endswith("_pb2_grpc") or "_pb2_grpc." in name]


@pytest.mark.parametrize("member", services(), ids=lambda member: member.package)
def test_a_service_has_the_rooms_that_all_have(member: Member) -> None:
    if member.package not in WITHOUT_ROOMS:
        slices = SLICES_OF.get(member.package, frozenset())
        assert room_problems(member.folder / member.package, ROOMS_OF.get(member.package, ROOMS) | slices) == []
        for name in slices:
            assert room_problems(member.folder / member.package / name, SLICE_ROOMS) == [], name
            assert (member.folder / member.package / name / "domain").is_dir(), name


def test_a_room_of_its_own_is_found(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").touch()
    assert room_problems(tmp_path, ROOMS) == ["helpers"]


@pytest.mark.parametrize("member", services(), ids=lambda member: member.package)
def test_domains_know_messages_but_no_stubs(member: Member) -> None:
    domain = [path for path in member.modules if "domain" in path.parts]
    assert {relative(path): found for path in domain if (found := stubs(ast.parse(path.read_text())))} == {}


@pytest.mark.parametrize("line", ["from llm_mesh.policy.v1 import policy_pb2_grpc", "from llm_mesh.policy.v1.policy_pb2_grpc import X"])
def test_a_stub_in_a_domain_is_found(line: str) -> None:
    assert stubs(ast.parse(line))


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_no_module_holds_mutable_state(member: Member) -> None:
    assert {relative(path): found for path in member.modules if (found := state(ast.parse(path.read_text())))} == {}


@pytest.mark.parametrize("line", ["routes = {}", "seen: list[str] = []", "cache = {key: 1 for key in 'ab'}"])
def test_module_state_is_found(line: str) -> None:
    assert state(ast.parse(line))


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_names_of_classes_say_something(member: Member) -> None:
    classes = [node.name for path in member.modules for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if name.endswith(VAGUE)] == []


def _own_code() -> list[Path]:
    return [path for path in files() if path.suffix in {".py", ".proto"} and not relative(path).startswith("gen/")]


def test_files_stay_short() -> None:
    long = {relative(path) for path in _own_code() if len(path.read_text().splitlines()) > LONGEST}
    assert long == set(LONG)


def test_no_file_has_a_marker_of_a_conflict() -> None:
    markers = re.compile(rb"^(<{7} |>{7} |={7}$)", re.MULTILINE)
    assert [relative(path) for path in files() if path.is_file() and markers.search(path.read_bytes())] == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in files() if path.match("tests/**/test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_a_member_is_complete(member: Member) -> None:
    present = {path.name for path in member.folder.iterdir()}
    assert {"README.md", "CHANGELOG.md", "pyproject.toml"} - present == set()
    assert (member.folder / member.package / "py.typed").exists()


def test_the_table_of_services_names_every_member() -> None:
    table = (ROOT / "services/README.md").read_text()
    assert [name for member in members() if (name := member.folder.relative_to(ROOT / "services").as_posix()) not in table] == []
