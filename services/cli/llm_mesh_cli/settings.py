"""What the command line reads from the environment: where the mesh is, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the command line."""

    key: Secret = setting(
        default=Secret(""),
        env=("LLM_MESH_KEY",),
        help="The key that commands call with. Empty: admin.key or project.key of the data directory, as the command needs.",
    )
    address: str = setting(
        default="",
        env=("LLM_MESH_ADDRESS",),
        help="The gRPC address that commands call, such as 127.0.0.1:50051. Empty: the mesh of the data directory.",
    )
    addresses: Mapping[str, str] = setting(
        default={},
        prefix="LLM_MESH_ADDRESS_",
        help="The public address of one service, where services run apart, such as LLM_MESH_ADDRESS_POLICY=policy:50154. For the edge: "
        "its HTTP listener's.",
    )
    authority: str = setting(
        default="", env=("LLM_MESH_TLS_CA",), help="Path of the authorities that a mesh with TLS is checked against, PEM. Empty: no TLS."
    )
    certificate: str = setting(
        default="", help="Path of the certificate by which commands prove who they are, PEM, to a mesh that demands one. Empty: none."
    )
    certificate_key: str = setting(default="", help="Path of its private key, PEM. Empty: it is in the same file.")
