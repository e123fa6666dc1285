"""The mesh's secret: given by the operator, or made once and kept in the data directory of an embedded mesh."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_runtime.host.errors import StartError
from llm_mesh_runtime.seals import Seals

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings

_FILE = "mesh.secret"


def mesh_secret(mesh: MeshSettings) -> bytes:
    """The secret; empty where an operator gave none to a service that runs alone."""
    if mesh.secret:
        return mesh.secret.reveal().encode()
    return _kept(mesh.data_dir) if mesh.embedded else b""


def seals_of(mesh: MeshSettings) -> Seals:
    """The keys that seal admissions and grants."""
    return Seals(mesh_secret(mesh), keys={name: key.reveal().encode() for name, key in mesh.seal_keys.items()})


def _kept(data_dir: Path) -> bytes:
    path = data_dir / _FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            made = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            path.with_suffix(".new").replace(path)
        return path.read_bytes().strip()
    except OSError as error:
        raise StartError(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
