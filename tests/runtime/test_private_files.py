"""Secrets are written for their owner alone, whole, and never over a file that is there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from llm_mesh_runtime.host.keys import mesh_secret
from llm_mesh_runtime.host.lock import DataDirectory
from llm_mesh_runtime.private_files import private_folder, write_secret
from llm_mesh_runtime.settings import MeshSettings
from llm_mesh_runtime.start_error import StartError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with DataDirectory(folder, needed=True):
        assert mode(folder) == 0o700


def test_a_data_directory_that_others_may_enter_is_mended_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    with caplog.at_level("WARNING"), DataDirectory(folder, needed=True):
        assert mode(folder) == 0o700
    assert "others could enter" in caplog.text
    caplog.clear()
    private_folder(folder)
    assert not caplog.text


def test_a_secret_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_secret(tmp_path / "key", "mk_secret\n")
    finally:
        os.umask(before)
    assert (tmp_path / "key").read_text() == "mk_secret\n"
    assert mode(tmp_path / "key") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"], "nothing half-written is left"


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_a_secret_is_never_written_over_something(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "key", tmp_path / "other"
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(other)
    if kind == "link":
        other.write_text("mine")
    with pytest.raises(FileExistsError):
        write_secret(place, "new")
    assert not other.exists() or other.read_text() == "mine"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]


def test_what_fails_on_its_way_to_the_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_secret(tmp_path / "key", "new")
    assert not list(tmp_path.iterdir())


def test_an_empty_secret_of_the_mesh_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mesh.secret").write_text(" \n")
    with pytest.raises(StartError, match="is empty"):
        mesh_secret(MeshSettings(embedded=True, data_dir=tmp_path))
