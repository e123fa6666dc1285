"""The secret of one service: an operator's setting, or, embedded, made once and kept in a file that only its owner may read."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_runtime.private_files import private_folder, write_secret
from llm_mesh_runtime.settings import SettingProblem, SettingsError

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links
    from llm_mesh_runtime.secret import Secret

LEAST_BYTES = 32


def weakness(secret: Secret) -> str:
    """What is wrong with an operator's secret; empty where nothing is. For the `check` of a setting."""
    weak = secret and len(secret.reveal().encode()) < LEAST_BYTES
    return f"expected at least {LEAST_BYTES} bytes, such as the output of `openssl rand -base64 32`" if weak else ""


def service_secret(secret: Secret, links: Links, *, variable: str, file: str, loss: str) -> bytes:
    """The secret. `loss` says what an operator loses with the file, such as `without it no key is valid`."""
    if secret:
        return secret.reveal().encode()
    if not links.embedded:
        raise SettingsError([SettingProblem(variable, f"is required where {links.service} runs alone")])
    return _stored(links.mesh.data_dir / file, loss)


def _stored(file: Path, loss: str) -> bytes:
    private_folder(file.parent)
    if not file.exists():
        with suppress(FileExistsError):  # another process was first
            write_secret(file, secrets.token_hex(LEAST_BYTES))
    secret = file.read_text(encoding="ascii").strip().encode()
    if not secret:
        raise SettingsError([SettingProblem(str(file), f"is empty: restore it from a backup; {loss}")])
    return secret
