"""Importing is free of effects and cheap: no file is opened but code, no socket, no process, and nothing heavy comes along."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, Member, members

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

# What may never come along with the entry of a package: nobody pays for what he does not use. (rich is absent from the list:
# structlog takes it where it finds it, and a service that is installed alone does not have it.)
FOREIGN = {
    "llm_mesh_runtime": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn", "sqlalchemy", "alembic", "psycopg"},
    "llm_mesh_gateway": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn", "sqlalchemy", "alembic", "psycopg"},
    "llm_mesh_edge": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "sqlalchemy", "alembic", "psycopg"},
    "llm_mesh_simulator": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "sqlalchemy", "alembic", "psycopg"},
    "llm_mesh_adapter_kit": {
        "aiohttp",
        "casbin",
        "jinja2",
        "minijinja",
        "jsonschema",
        "typer",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "psycopg",
    },
    "llm_mesh_dialects": {
        "aiohttp",
        "casbin",
        "grpc",
        "jinja2",
        "minijinja",
        "jsonschema",
        "typer",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "psycopg",
    },
    "llm_mesh_adapter_openai": {
        "aiohttp",
        "casbin",
        "jinja2",
        "minijinja",
        "jsonschema",
        "typer",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "psycopg",
    },
    "llm_mesh_adapter_anthropic": {"casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn", "sqlalchemy", "alembic", "psycopg"},
    "llm_mesh_policy": {"aiohttp", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn"},
    "llm_mesh_router": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn"},
    "llm_mesh_catalogue": {"aiohttp", "casbin", "typer", "uvicorn"},
    "llm_mesh_observability": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn"},
    "llm_mesh_registry": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "typer", "uvicorn"},
    "llm_mesh_cli": {"aiohttp", "casbin", "jinja2", "minijinja", "jsonschema", "uvicorn", "sqlalchemy", "alembic", "psycopg"},
}


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


def test_every_package_is_listed() -> None:
    assert set(FOREIGN) == {member.package for member in members()}


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_importing_all_modules_of_a_package_touches_nothing(member: Member) -> None:
    assert imported(*modules(member))["touched"] == []


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_the_entry_of_a_package_brings_nothing_heavy(member: Member) -> None:
    entry = [name for name in modules(member) if name in (member.package, f"{member.package}.wiring")]
    assert set(imported(*entry)["packages"]) & FOREIGN[member.package] == set()


@pytest.mark.parametrize(
    "line",
    ["open('/dev/null', 'w')", "open('/etc/hostname')", "import socket; socket.socket()", "import subprocess; subprocess.run(['true'])"],
)
def test_the_probe_sees_an_effect(line: str, tmp_path: Path) -> None:
    (tmp_path / "effect.py").write_text(line)
    assert imported("effect", path=str(tmp_path))["touched"] != []
