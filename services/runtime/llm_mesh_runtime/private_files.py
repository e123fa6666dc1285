"""Files with secrets: for their owner alone, written whole or not at all, and never over one that is there."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

_FILE = 0o600
_FOLDER = 0o700
_log = logging.getLogger(__name__)


def private_folder(folder: Path) -> None:
    """Makes a folder for its owner alone. One that others may enter is mended, with a warning."""
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & ~_FOLDER:
        return
    try:
        folder.chmod(mode & _FOLDER)
    except OSError as error:
        _log.warning("others may enter %s (mode %04o), and its mode cannot be changed: %s", folder, mode, error.strerror)
    else:
        _log.warning("others could enter %s (mode %04o); it is for its owner alone now (mode %04o)", folder, mode, mode & _FOLDER)


def write_secret(path: Path, text: str) -> None:
    """Writes a secret for its owner alone, to the disk; `FileExistsError` where the file is there already."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename, it replaces nothing
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """The folder's entries reach the disk too."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
