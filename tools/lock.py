"""Pins every installable set to hashes: `requirements.lock` at the root and one beside each service.

There is no `uv.lock`, because that format holds the address of a package registry; a lock of ours must not. A set is
resolved from its pyproject.toml alone, the members of the workspace are left out of it (they are installed from the
tree), and what the root's lock pins constrains every other set, so that a service alone runs what was tested together.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"


def members() -> dict[str, Path]:
    """Every distribution of the workspace by name, the root's too."""
    paths = [ROOT / "gen/python", *sorted((ROOT / "services").glob("*")), *sorted((ROOT / "services/adapters").glob("*")), ROOT]
    found = [path for path in paths if (path / "pyproject.toml").exists()]
    return {tomllib.loads((path / "pyproject.toml").read_text())["project"]["name"]: path for path in found}


def compile_lock(folder: Path, output: Path, constraint: Path | None) -> None:
    """Resolve one set; what `output` already pins is kept where it still fits, so that locks change only when asked to."""
    root = folder == ROOT
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-strip-markers", f"--output-file={output}"]
    command += [f"--no-emit-package={name}" for name in members()]
    command += ["--group=pyproject.toml:dev"] if root else ["--group=../../pyproject.toml:build"] * 0
    command += [f"--constraints={constraint}"] if constraint else []
    command += ["pyproject.toml"]
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(command, cwd=folder, check=True, env=environment)


def targets() -> list[Path]:
    """Folders that have a lock: the root first, then what can be deployed alone."""
    return [ROOT] + [path for path in members().values() if path not in (ROOT, ROOT / "gen/python", ROOT / "services/runtime")]
