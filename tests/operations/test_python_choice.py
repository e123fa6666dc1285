"""`make` takes the newest Python that is supported and can make an environment, obeys PYTHON, and says what to do without one."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

SCRIPT = ROOT / "tools" / "python.sh"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that holds all programs of a machine."""
    return tmp_path


def install(machine: Path, command: str, version: str, *, whole: bool = True) -> Path:
    """A Python of some version, which without venv can answer nothing that needs it."""
    path = machine / command
    path.write_text(f"#!/bin/sh\n{f'echo {version}' if whole else 'exit 1'}\n")
    path.chmod(0o755)
    return path


def chosen(machine: Path, named: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", SCRIPT], env={"PATH": str(machine), "PYTHON": named}, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("newest", ["3.11", "3.12", "3.13", "3.14"])
def test_the_newest_is_taken(machine: Path, newest: str) -> None:
    for minor in range(11, int(newest.partition(".")[2]) + 1):
        install(machine, f"python3.{minor}", f"3.{minor}")
    assert chosen(machine).stdout.strip() == str(machine / f"python{newest}")


def test_a_python_without_a_version_in_its_name_counts_by_its_version(machine: Path) -> None:
    install(machine, "python3.11", "3.11")
    plain = install(machine, "python3", "3.13")
    assert chosen(machine).stdout.strip() == str(plain)
    newer = install(machine, "python3.14", "3.14")
    assert chosen(machine).stdout.strip() == str(newer)


def test_one_that_cannot_make_environments_is_passed_over(machine: Path) -> None:
    install(machine, "python3.14", "3.14", whole=False)
    older = install(machine, "python3.12", "3.12")
    assert chosen(machine).stdout.strip() == str(older)


def test_the_named_one_wins(machine: Path) -> None:
    install(machine, "python3.14", "3.14")
    older = install(machine, "python3.11", "3.11")
    assert chosen(machine, str(older)).stdout.strip() == str(older)


def test_a_named_one_that_does_not_fit_is_refused_with_a_sentence(machine: Path) -> None:
    install(machine, "python3.14", "3.14")
    broken = install(machine, "python3.10", "3.10", whole=False)
    done = chosen(machine, str(broken))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"PYTHON={broken} is not Python 3.11 to 3.14" in done.stderr


def test_a_machine_without_one_is_told_what_to_install(machine: Path) -> None:
    done = chosen(machine)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No Python 3.11 to 3.14" in done.stderr
    assert "python3-venv" in done.stderr


def test_the_interpreter_of_these_tests_is_one_of_them() -> None:
    """The script's probe, on a real Python."""
    import sys  # noqa: PLC0415 (only here)

    done = subprocess.run(["/bin/sh", SCRIPT], env={"PYTHON": sys.executable}, capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout.strip() == sys.executable, done.stderr


def test_pages_and_packages_name_the_same_versions() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    oldest, newest = (int(re.findall(rf"^{name}=(\d+)$", script, re.MULTILINE)[0]) for name in ("oldest", "newest"))
    for page in ("README.md", "CONTRIBUTING.md", "docs/operations.md"):
        assert f"Python 3.{oldest} to 3.{newest}" in (ROOT / page).read_text(encoding="utf-8"), page
    for path in (ROOT / "pyproject.toml", *ROOT.glob("services/**/pyproject.toml")):
        if ".venv" not in path.parts:
            assert tomllib.loads(path.read_text(encoding="utf-8"))["project"]["requires-python"] == f">=3.{oldest}", path
