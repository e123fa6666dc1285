"""What a stranger meets first: workflows, forms and releases are well formed and know what the code knows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.deploy.compose import ROOT, described, optional
from tools import commits, lock, release

GITHUB = ROOT / ".github"
SCHEMAS = {
    "workflows/ci.yml": "vendor.github-workflows",
    "workflows/release.yml": "vendor.github-workflows",
    "dependabot.yml": "vendor.dependabot",
    "ISSUE_TEMPLATE/bug.yml": "vendor.github-issue-forms",
    "ISSUE_TEMPLATE/idea.yml": "vendor.github-issue-forms",
    "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
}


def test_every_file_of_the_forge_has_its_form() -> None:
    files = {path.relative_to(GITHUB).as_posix() for path in GITHUB.rglob("*.yml")}
    assert files == set(SCHEMAS)
    for schema in sorted(set(SCHEMAS.values())):
        named = [GITHUB / name for name, each in SCHEMAS.items() if each == schema]
        command = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", schema, *map(str, named)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", ["ci.yml", "release.yml"])
def test_changes_and_releases_pass_what_a_developer_runs_on_the_oldest_and_the_newest_python(workflow: str) -> None:
    check = yaml.safe_load((GITHUB / "workflows" / workflow).read_text())["jobs"]["check"]
    assert [step["run"] for step in check["steps"] if "run" in step] == [".ci/run"]
    (versions,) = (step["with"]["python-version"] for step in check["steps"] if "setup-python" in step.get("uses", ""))
    bounds = dict(re.findall(r"^(oldest|newest)=(\d+)$", (ROOT / ".ci/newest-python").read_text(), re.MULTILINE))
    assert versions.split() == [f"3.{bounds['oldest']}", f"3.{bounds['newest']}"]
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert versions.split()[0] == lowest


def test_no_rule_of_make_needs_a_python_that_is_named() -> None:
    rules = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    assert [line for line in rules if "$(PYTHON)" in line] == []


def test_a_release_makes_an_image_of_every_service() -> None:
    images = yaml.safe_load((GITHUB / "workflows/release.yml").read_text())["jobs"]["images"]
    assert images["strategy"]["matrix"]["service"] == sorted(each.folder for each in (*described(), *optional()))


def test_the_development_container_is_linted() -> None:
    command = [str(Path(sys.executable).with_name("hadolint")), "--ignore", "DL3008", str(ROOT / ".devcontainer/Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_owners_name_folders_that_exist() -> None:
    for line in (GITHUB / "CODEOWNERS").read_text().splitlines():
        if line.startswith("/"):
            assert (ROOT / line.split()[0].strip("/")).is_dir(), line


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Add a bound\n\nWhy.\n", ""),
        ("Feed the lanes in turns", ""),
        ("Add " + "x" * 69, "73 characters"),
        ("fix(policy): count once", "prefix"),
        ("Added a bound", "no imperative"),
        ("Adding a bound", "no imperative"),
        ("Add a bound.", "full stop"),
        ("Add a bound\nbecause", "empty line"),
    ],
)
def test_a_commit_says_what_it_does(message: str, fault: str) -> None:
    faults = list(commits.faults(message))
    assert (len(faults) == 1 and fault in faults[0]) if fault else not faults


def test_the_history_keeps_the_rule_of_subjects() -> None:
    assert {name: list(commits.faults(message)) for name, message in commits.messages() if list(commits.faults(message))} == {}


def test_a_release_has_the_notes_of_its_version() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.0\n\n- now\n\n## 1.1.0\n\n- before\n"
    assert release.notes(changelog, "1.2.0") == "- now\n"
    assert release.notes(changelog, "1.1.0") == "- before\n"
    with pytest.raises(SystemExit, match="nothing under"):
        release.notes(changelog, "1.3.0")


def test_a_release_has_the_go_stubs_as_a_module_proxy_serves_them(tmp_path: Path) -> None:
    release.go_module(tmp_path)
    (archive,) = tmp_path.iterdir()
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    prefix = f"llm-mesh.dev/gen@v{release.version()}/"
    assert all(name.startswith(prefix) for name in names)
    assert prefix + "go.mod" in names
    assert any(re.fullmatch(re.escape(prefix) + r"llm_mesh/gateway/v1/[\w.]+\.go", name) for name in names)


def test_all_distributions_have_one_version() -> None:
    versions = {
        name: tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"] for name, folder in lock.members().items()
    }
    assert set(versions.values()) == {release.version()}
