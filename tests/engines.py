"""Programs that tests need and Python packages cannot bring: skipped loudly where absent, an error where they are required."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def absent(engine: str, how: str) -> None:
    """End the test: skipped on a developer's machine, failed in CI, where LLM_MESH_REQUIRE_ENGINES is set."""
    reason = f"{engine} is absent: {how}"
    if os.environ.get("LLM_MESH_REQUIRE_ENGINES"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(name: str, how: str) -> str:
    """The path of a program, or the end of the test."""
    found = shutil.which(name)
    if found is None:
        absent(name, how)
    return str(found)


def postgres_bin() -> Path:
    """The folder of PostgreSQL's server binaries, which distributions keep off the PATH, or the end of the test."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        folders.insert(0, Path(told))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK):
            return folder
    absent("PostgreSQL", "install the package `postgresql` (server binaries suffice, no cluster is needed)")
    raise AssertionError
