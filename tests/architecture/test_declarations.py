"""A service is data: what its `service.toml` declares is what is installed, hosted, documented and deployed; nothing repeats it by hand."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from llm_mesh.services import CLIENTS, SERVICES, Declaration
from llm_mesh_runtime.host import installed, load
from tests.architecture.repository import ROOT
from tools.services import __main__ as command
from tools.services import declaration
from tools.services.declaration import DeclarationError, Declared, declarations
from tools.services.places import Line, Region, places

KNOWN = {each.name: each for each in declarations()}
WRONG = {
    "name": ("missing", 'does = "x"'),
    "port": ("'50090', expected int", 'name = "a"\ndoes = "x"\nport = "50090"'),
    "call": ("no field", 'name = "a"\ndoes = "x"\ncall = ["policy"]'),
    "calls": ("['policy', 1], expected", 'name = "a"\ndoes = "x"\ncalls = ["policy", 1]'),
    "container.publish": ("True, expected str", 'name = "a"\ndoes = "x"\ncontainer = { publish = true }'),
    "calls nobody": ("no declaration names", 'name = "a"\ndoes = "x"\ncalls = ["nobody"]'),
    "port 50054": ("that of policy", 'name = "a"\ndoes = "x"\nport = 50054\ncontracts = ["a.A"]'),
    "neither contracts nor http": ("neither", 'name = "a"\ndoes = "x"\nport = 50090'),
    "http_prefix 'console'": ("wrong form", 'name = "a"\ndoes = "x"\nport = 50090\nhttp = "HTML"\nhttp_prefix = "console"'),
    "name 'A'": ("wrong form", 'name = "A"\ndoes = "x"'),
}


def test_everything_that_repeats_the_declarations_is_fresh() -> None:
    assert command.stale(command.texts()) == []


def test_each_place_is_written_from_what_is_declared() -> None:
    """With one service more every place changes that names all services, and none is forgotten."""
    more = Declared(folder="x", name="x", does="x", contracts=["llm_mesh.mesh.v1.X"], port=50099, calls=["policy"], database=True)
    unchanged = []
    for place, fresh in zip(places(list(KNOWN.values())), places([*KNOWN.values(), more]), strict=True):
        text = (ROOT / place.file).read_text(encoding="utf-8")
        if fresh.applied(text) == text and place.file != "pyproject.toml":
            unchanged.append(place)
    assert unchanged == []


def test_providers_of_ours_start_behind_the_mesh() -> None:
    """Of several HTTP listeners in one process the first one's address is told as the mesh's."""
    of_http = [each for each in SERVICES if not each.contracts]
    assert [each.in_mesh for each in of_http] == sorted((each.in_mesh for each in of_http), reverse=True)
    assert of_http[0].name == "edge"


def test_what_is_installed_is_what_is_declared() -> None:
    assert set(installed()) == {each.name for each in SERVICES}


@pytest.mark.parametrize("each", SERVICES, ids=lambda each: each.name)
def test_a_service_is_as_it_declares(each: Declaration) -> None:
    declared, (service,) = KNOWN[each.name], load([each.name])
    assert service.contracts == each.contracts
    assert service.port == (each.port if each.contracts else 0)
    (point,) = (point for point in entry_points(group="llm_mesh.services") if point.name == declared.dashed)
    assert point.module == f"{declared.package}.wiring"
    assert any((ROOT / "services" / declared.folder / declared.package).glob("store/migrations")) == each.database
    for module, name in each.registrations:
        assert callable(getattr(import_module(module), name))


def test_every_contract_of_the_mesh_is_served_by_a_service_or_by_every_host() -> None:
    by_hosts = {"llm_mesh.link.v1.LinkService", "llm_mesh.mesh.v1.ProcessService"}
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen/llm_mesh.binpb").read_bytes()).file
    contracts = {f"{file.package}.{service.name}" for file in files for service in file.service if file.package.startswith("llm_mesh.")}
    assert contracts - by_hosts == {contract for each in SERVICES for contract in each.contracts}


@pytest.mark.parametrize("each", SERVICES, ids=lambda each: each.name)
def test_its_page_tells_what_it_declares(each: Declaration) -> None:
    page = (ROOT / "services" / KNOWN[each.name].folder / "README.md").read_text(encoding="utf-8")
    rows: dict[str, str] = dict(re.findall(r"^\| (\w+) \| (.*) \|$", page, re.MULTILINE))
    assert rows.get("port", str(each.port)) == str(each.port)
    told = rows.get("contract", rows.get("contracts", ""))
    assert all(contract in told or contract.rpartition(".")[2] in told for contract in each.contracts)
    called = {word for word in re.findall(r"[a-z]+", rows.get("calls", "")) if word in KNOWN}
    assert called <= {each.name, "adapters", *each.calls}, "it calls whom it does not declare"


@pytest.mark.parametrize("each", SERVICES, ids=lambda each: each.name)
def test_its_code_calls_only_whom_it_declares(each: Declaration) -> None:
    """The access table refuses the rest, but only once somebody calls."""
    package = ROOT / "services" / KNOWN[each.name].folder / KNOWN[each.name].package
    texts = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    called = {name for text in texts for name in re.findall(r"""links\.(?:channel|optional)\("([a-z/]+)"\)""", text)}
    assert {name for name in called if not any(declaration.matches(pattern, name) for pattern in each.calls)} == set()


def test_who_is_called_starts_before_who_calls_and_policy_before_all() -> None:
    names = [each.name for each in SERVICES]
    assert names[0] == "policy"
    for each in SERVICES[1:]:
        assert all(names.index(callee) < names.index(each.name) for callee in each.calls if callee in names)
    assert {identity for each in CLIENTS for identity in each.identities} == {"adapter/*", "console", "up"}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_declaration_is_refused_with_its_file_and_field(field: str, tmp_path: Path) -> None:
    for name, text in {"POLICY": 'name = "policy"\ndoes = "x"\nport = 50054\ncontracts = ["p.P"]', "a": WRONG[field][1]}.items():
        file = tmp_path / "services" / name / declaration.FILE
        file.parent.mkdir(parents=True)
        file.write_text(text)
    with pytest.raises(DeclarationError, match=re.escape(WRONG[field][0])) as failure:
        declarations(tmp_path)
    assert str(failure.value).startswith("services/a/service.toml: ")
    assert field in str(failure.value)


def test_two_services_that_call_each_other_have_no_order_of_starting(tmp_path: Path) -> None:
    for number, (name, callee) in enumerate((("a", "b"), ("b", "a"))):
        file = tmp_path / "services" / name / declaration.FILE
        file.parent.mkdir(parents=True)
        file.write_text(f'name = "{name}"\ndoes = "x"\nport = {50090 + number}\ncontracts = ["x.X"]\ncalls = ["{callee}"]')
    with pytest.raises(DeclarationError, match="a calls b calls a"):
        declarations(tmp_path)


def test_a_stale_region_and_a_stale_line_are_found() -> None:
    region = Region("f", "names", ("a", "b"))
    assert region.applied("x\n  # generated: names\n  old\n  # end of generated\ny") == (
        "x\n  # generated: names\n  a\n  b\n  # end of generated\ny"
    )
    assert Line("f", r"^(for x in ).*(; do)$", "a b").applied("for x in a; do") == "for x in a b; do"
    for place in (region, Line("f", "^(x)()$", "a")):
        with pytest.raises(LookupError, match="f has"):
            place.applied("nothing of this")
