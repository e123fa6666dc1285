"""The private sockets by which the processes of one mesh reach each other: a folder that its owner alone may enter."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from llm_mesh_runtime.start_error import StartError

PROCESS = "process/"
_LONGEST = 100
"""Bytes of a socket's path; the systems' limits are 104 and 108."""
_ROOM = 32
"""Of them, for a name such as `adapter-anthropic.sock` and its slash."""
_PRIVATE = 0o700


def sockets_folder(data_dir: Path) -> str:
    """Where the sockets of a data directory are: inside it, or where that is too deep for a socket, in a folder of its own."""
    data = data_dir.resolve()
    inside = data / "run"
    if len(os.fsencode(inside)) + _ROOM <= _LONGEST:
        return str(inside)
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"llm-mesh-{os.getuid()}-{digest}")


def prepared(folder: str) -> None:
    """Make the folder. One that somebody else has made, or may enter, is refused."""
    if not folder:
        return
    try:
        Path(folder).mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise StartError(f"the folder of sockets {folder} cannot be used: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & ~_PRIVATE:
        raise StartError(f"the folder of sockets {folder} is not ours alone: remove it")


def socket_of(folder: str, service: str) -> Path:
    """The socket of a service of the process that owns the data, or of a process, `process/worker-1`."""
    return Path(folder) / f"{service.replace('/', '-')}.sock"


def link_to(folder: str, service: str) -> str:
    """The batched link to it."""
    return f"mux+{private(folder)}{socket_of(folder, service).name}"


def private(folder: str) -> str:
    """How the targets of these sockets begin; empty without a folder."""
    return f"unix:{folder}/" if folder else ""
