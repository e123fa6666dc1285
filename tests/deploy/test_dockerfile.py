"""services/Dockerfile, proven without an engine: linted, whole, and without rights. `make alone` takes its steps for real."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT, described

DOCKERFILE = ROOT / "services/Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8")
INSTRUCTIONS = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE))


def copied() -> list[str]:
    """What is copied from the repository."""
    sources = []
    for line in INSTRUCTIONS.splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            sources += line.split()[1:-1]
    return sources


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint is not packaged for it")
def test_the_linter_finds_nothing() -> None:
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("each", described(), ids=lambda each: each.folder)
def test_everything_that_is_copied_exists_for_every_service(each: object) -> None:
    folder = getattr(each, "folder", "")
    assert copied()
    for source in copied():
        assert (ROOT / source.replace("${SERVICE}", folder)).exists(), source


def test_everything_that_is_copied_passes_the_ignore_file() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    for source in copied():
        assert any(source == path or source.startswith(path + "/") for path in allowed), source


def test_every_member_that_a_service_may_need_is_built() -> None:
    built = {source for source in copied() if (ROOT / source / "pyproject.toml").is_file()}
    names = {tomllib.loads((ROOT / source / "pyproject.toml").read_text())["project"]["name"] for source in built}
    for each in described():
        wanted = tomllib.loads((ROOT / "services" / each.folder / "pyproject.toml").read_text())["project"]["dependencies"]
        ours = {re.split(r"[\[<>=;~! ]", name)[0] for name in wanted if name.startswith("llm-mesh-")}
        assert ours <= names, each.folder


def test_it_runs_as_nobody_special_and_asks_itself_how_it_is() -> None:
    final = INSTRUCTIONS.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert "llm_mesh_runtime.health_probe" in final
    assert "STOPSIGNAL SIGTERM" in final


def test_nothing_is_installed_without_a_hash_or_from_an_index_that_is_not_locked() -> None:
    installs = re.findall(r"\binstall --quiet[^&\n]*", INSTRUCTIONS)
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install
    assert "apt-get" not in INSTRUCTIONS
