"""The files of a data directory that the command line owns: keys, and where the running mesh listens.

A key is written whole or not at all, reaches the disk, and only its owner may read it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_runtime.private_files import write_secret
from llm_mesh_runtime.secret import Secret

ADMIN_KEY = "admin.key"
PROJECT_KEY = "project.key"
_ADDRESSES = "addresses.json"
_SET_UP = "set-up.json"
_PRIVATE_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class EmptyKeyError(Exception):
    """A credential is given, and empty. Nothing else is taken in its place."""


def check_free(path: Path) -> None:
    """Refuses to write a secret over a file, before anything is changed for it."""
    if os.path.lexists(path):
        raise CommandError(f"{path} exists: move it away, or give --save another place", Exit.CONFLICT)


class DataFiles:
    """The command line's own files in a data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def admin_key(self) -> Path:
        """Where the first administrator's key is kept."""
        return self.folder / ADMIN_KEY

    @property
    def project_key(self) -> Path:
        """Where the first project's key is kept."""
        return self.folder / PROJECT_KEY

    def key(self, path: Path) -> Secret:
        """A key that is kept, or an empty secret where there is no file. An empty file is an error."""
        try:
            key = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return Secret("")
        if not key:
            raise EmptyKeyError(f"{path} is empty: give --key, set LLM_MESH_KEY, or write the key into it again")
        return Secret(key)

    def keep_key(self, path: Path, key: str) -> None:
        """Keep a key, readable for its owner only; `FileExistsError` where the file is there already."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        write_secret(path, f"{key}\n")

    def addresses(self) -> dict[str, str]:
        """Where the running mesh listens; empty where none runs."""
        return _object(self.folder / _ADDRESSES)

    def keep_addresses(self, addresses: dict[str, str]) -> None:
        """Say where the running mesh listens."""
        _replace(self.folder / _ADDRESSES, json.dumps(addresses, indent=1) + "\n", 0o644)

    def forget_addresses(self) -> None:
        """The mesh has ended."""
        (self.folder / _ADDRESSES).unlink(missing_ok=True)

    def known(self) -> str:
        """Digest of what was last set up; empty before."""
        return _object(self.folder / _SET_UP).get("digest", "")

    def keep_known(self, digest: str) -> None:
        """What was set up, so that the next start need not ask."""
        _replace(self.folder / _SET_UP, json.dumps({"digest": digest}) + "\n", 0o644)


def readable_by_others(path: Path) -> bool:
    """Whether others than the owner may read the file."""
    return bool(path.stat().st_mode & _OTHERS)


def _object(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _replace(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
