"""The files of a data directory that the command line owns: keys, and where the running mesh listens.

A key is written whole or not at all, reaches the disk, and only its owner may read it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from llm_mesh_runtime.secret import Secret

ADMIN_KEY = "admin.key"
PROJECT_KEY = "project.key"
_ADDRESSES = "addresses.json"
_SET_UP = "set-up.json"
_PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


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
        """A key that is kept, or an empty secret."""
        try:
            return Secret(path.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            return Secret("")

    def keep_key(self, path: Path, key: str) -> None:
        """Keep a key, readable for its owner only."""
        _replace(path, f"{key}\n", _PRIVATE)

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
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
