"""Keys at the command line: a blank one is an error, and a file with a key is never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.running import RunningMesh

USAGE = 2
DENIED = 4
CONFLICT = 6


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("words", [("models", "list"), ("chat", "-m", "simulator/echo", "hello"), ("keys", "list")])
def test_a_blank_key_is_an_error_and_no_other_key_is_taken(cli_mesh: RunningMesh, words: tuple[str, ...], blank: str) -> None:
    by_option = cli_mesh.cli(*words, "--key", blank)
    assert (by_option.returncode, by_option.stdout) == (DENIED, "")
    assert "--key is empty" in by_option.stderr
    by_variable = cli_mesh.cli(*words, env={"LLM_MESH_KEY": blank})
    assert (by_variable.returncode, by_variable.stdout) == (USAGE, "")
    assert "LLM_MESH_KEY" in by_variable.stderr


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_blank_key_file_is_an_error_that_names_it(cli_mesh: RunningMesh, tmp_path: Path, content: str) -> None:
    (tmp_path / "admin.key").write_text(content)
    asked = cli_mesh.cli("keys", "list", "--data-dir", str(tmp_path), "--address", cli_mesh.addresses["grpc"])
    assert asked.returncode == DENIED
    assert f"{tmp_path / 'admin.key'} is empty" in asked.stderr


def test_a_key_is_never_written_over_a_file(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = tmp_path / "new" / "app.key"
    before = cli_mesh.cli("keys", "list", "--json").stdout
    made = cli_mesh.cli("keys", "create", "--principal", "application", "--save", str(file))
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret, listed = file.read_text(), cli_mesh.cli("keys", "list", "--json").stdout
    assert listed != before
    name = made.stdout.splitlines()[0]
    for words in (("create", "--principal", "application"), ("rotate", name)):
        refused = cli_mesh.cli("keys", *words, "--save", str(file))
        assert refused.returncode == CONFLICT
        assert f"{file} exists" in refused.stderr
    assert file.read_text() == secret
    assert cli_mesh.cli("keys", "list", "--json").stdout == listed, "no key was made that nobody has"


def test_the_data_directory_is_for_its_owner_alone(cli_mesh: RunningMesh) -> None:
    assert stat.S_IMODE(cli_mesh.data_dir.stat().st_mode) == 0o700
    keys = [*cli_mesh.data_dir.glob("*.key"), *cli_mesh.data_dir.glob("*.secret")]
    assert keys
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
