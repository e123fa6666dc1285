"""What an adapter loads before it needs it: nothing optional, and nothing that is heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.adapter_kit.test_every_adapter_takes_added_endpoints import ADAPTERS

HEAVY = ("botocore", "google.auth", "h2", "httpcore2", "pydantic", "rich", "sqlalchemy", "structlog", "typer")
PROGRAM = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sorted(sys.modules.keys() & set(sys.argv[2:])))"


@pytest.mark.parametrize("name", ADAPTERS)
def test_importing_an_adapter_loads_nothing_that_is_optional_or_heavy(name: str) -> None:
    module = f"llm_mesh_adapter_{name}.wiring"
    done = subprocess.run([sys.executable, "-c", PROGRAM, module, *HEAVY], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
