"""Importing is free of effects and cheap: no file is opened but code, no socket, no process, and nothing heavy comes along."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, Member, members
from tests.architecture.test_dependencies import normal

# Runs in a process of its own; its last line is what the import did, and which top-level packages it brought.
PROBE = """
import json, sys

touched = []
CODE = (".py", ".pyc", ".so", ".zip")
# Installed packages may read what they were installed with; prometheus_client reads the process's own numbers.
INSTALLED = (sys.prefix, sys.base_prefix, "/proc/self/", "/proc/stat")

def watch(event, arguments):
    if event == "open":
        name, mode = str(arguments[0]), arguments[1]
        reads = mode in (None, "r", "rb", "rt") and (mode is not None or not arguments[2] & 3)
        if not reads or not (name.endswith(CODE) or name.startswith(INSTALLED)):
            touched.append(f"open {name} {mode}")
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.mkdir", "sqlite3.connect")):
        touched.append(event)

sys.addaudithook(watch)
for module in sys.argv[1:]:
    __import__(module)
packages = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"touched": touched, "packages": packages}))
"""

# What is heavy comes along with the entry of a package only where its distribution declares it: nobody pays for what he does not use.
# (rich is absent from the list: structlog takes it where it finds it, and a service that is installed alone does not have it.)
HEAVY = {
    "aiohttp": "aiohttp",
    "any_llm": "(never in the process of the mesh)",
    "litellm": "(never in the process of the mesh)",
    "alembic": "alembic",
    "casbin": "casbin",
    "grpc": "grpcio",
    "jinja2": "jinja2",
    "jsonschema": "jsonschema",
    "minijinja": "minijinja",
    "psycopg": "psycopg",
    "sqlalchemy": "sqlalchemy",
    "typer": "typer",
    "uvicorn": "uvicorn",
}
"""Packages, and the distributions that have them."""


def foreign(member: Member) -> set[str]:
    """The heavy packages that a member does not declare, nor the libraries that it chooses. Extras count where they are chosen."""
    declared = distributions(member)
    return {package for package, distribution in HEAVY.items() if distribution not in declared}


def distributions(member: Member) -> set[str]:
    """What a member declares to need, with what those of ours need that it names."""
    ours = {other.project["name"]: other for other in members()}
    declared = set()
    for line in member.project["dependencies"]:
        name = normal(line)
        declared.add(name)
        if name in ours:
            declared |= distributions(ours[name])
            extras = re.findall(r"\w+", line.partition("[")[2].partition("]")[0])
            declared |= {normal(each) for extra in extras for each in ours[name].project["optional-dependencies"][extra]}
    return declared


def imported(*modules: str, path: str = "") -> dict[str, list[str]]:
    """What a fresh interpreter does to import the modules."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", PROBE, *modules]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    report: dict[str, list[str]] = json.loads(result.stdout.splitlines()[-1])
    return report


def modules(member: Member) -> list[str]:
    """All modules but entry points and migrations, which other programs run."""
    names = [member.name(path) for path in member.modules if "migrations" not in path.parts and path.stem != "__main__"]
    return sorted(names)


def test_a_package_that_nobody_declares_is_foreign() -> None:
    by_name = {member.package: foreign(member) for member in members()}
    assert "grpc" in by_name["llm_mesh_dialects"]
    assert {"sqlalchemy", "uvicorn"} <= by_name["llm_mesh_runtime"] & by_name["llm_mesh_gateway"]
    assert by_name["llm_mesh_policy"] & {"sqlalchemy", "casbin", "jinja2"} == {"jinja2"}


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_importing_all_modules_of_a_package_touches_nothing(member: Member) -> None:
    assert imported(*modules(member), path=str(member.folder))["touched"] == []


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_the_entry_of_a_package_brings_nothing_heavy(member: Member) -> None:
    entry = [name for name in modules(member) if name in (member.package, f"{member.package}.wiring")]
    assert set(imported(*entry, path=str(member.folder))["packages"]) & foreign(member) == set()


@pytest.mark.parametrize(
    "line",
    ["open('/dev/null', 'w')", "open('/etc/hostname')", "import socket; socket.socket()", "import subprocess; subprocess.run(['true'])"],
)
def test_the_probe_sees_an_effect(line: str, tmp_path: Path) -> None:
    (tmp_path / "effect.py").write_text(line)
    assert imported("effect", path=str(tmp_path))["touched"] != []
