"""The mesh's secret: given by the operator, or made once and kept in the data directory of an embedded mesh."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_runtime.private_files import private_folder, write_secret
from llm_mesh_runtime.seals import Seals, derive
from llm_mesh_runtime.start_error import StartError

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings

_FILE = "mesh.secret"
_ID_DIGITS = 32


def mesh_secret(mesh: MeshSettings) -> bytes:
    """The secret; empty where an operator gave none to a service that runs alone."""
    if mesh.secret:
        return mesh.secret.reveal().encode()
    return _stored(mesh.data_dir) if mesh.embedded else b""


def seals_of(mesh: MeshSettings) -> Seals:
    """The keys that seal admissions and grants."""
    return Seals(mesh_secret(mesh), keys={name: key.reveal().encode() for name, key in mesh.seal_keys.items()})


def mesh_id(mesh: MeshSettings) -> str:
    """The id of the mesh among others, the same in all its processes. Empty where it has neither a name nor a secret."""
    if mesh.id:
        return mesh.id
    secret = mesh_secret(mesh)
    return derive(secret, "mesh id").hex()[:_ID_DIGITS] if secret else ""


def _stored(data_dir: Path) -> bytes:
    path = data_dir / _FILE
    try:
        private_folder(data_dir)
        if not path.exists():
            with suppress(FileExistsError):  # another process was first
                write_secret(path, secrets.token_urlsafe(48))
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StartError(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    if not secret:
        raise StartError(
            f"{path} is empty: restore it, or remove it for a new secret, with which nothing that was sealed is valid any more"
        )
    return secret
