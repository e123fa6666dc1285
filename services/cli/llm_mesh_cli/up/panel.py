"""What `up` prints once everything serves: where, with which key, and first calls to paste."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_mesh_cli.files import DataFiles
    from llm_mesh_cli.up.first_start import SetUp


_USUAL = Path(".llm-mesh")


def panel(addresses: dict[str, str], files: DataFiles, done: SetUp, *, workers: int = 1, scheme: str = "http") -> str:
    """The text, ready to be pasted from."""
    http, grpc = addresses.get("http", ""), addresses.get("grpc", "")
    key = f"$(cat {_path(files.project_key)})"
    model = "sim-echo" if done.simulator else "gpt-4.1-mini"
    headline = f"LLM Mesh serves, HTTP with {workers} workers" if workers > 1 else "LLM Mesh serves"
    parts = [headline, *_state(http and f"{scheme}://{http}", grpc, files, done)]
    if http:
        parts += [
            "",
            f"""  curl {scheme}://{http}/v1/chat/completions -H "Authorization: Bearer {key}" \\
    -H 'content-type: application/json' -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'""",
        ]
        parts += [
            "",
            f"""  from openai import OpenAI
  client = OpenAI(base_url="{scheme}://{http}/v1", api_key=open("{_path(files.project_key)}").read().strip())
  print(client.chat.completions.create(model="{model}", messages=[{{"role": "user", "content": "Hello"}}]).choices[0].message.content)""",
        ]
    if grpc:
        parts += [
            "",
            f"""  grpcurl -plaintext -H "authorization: Bearer {key}" \\
    -d '{{"input": {{"model": "{model}", "messages": [{{"role": "ROLE_USER", "parts": [{{"text": {{"text": "Hello"}}}}]}}]}}}}' \\
    {grpc} llm_mesh.gateway.v1.GatewayService/Generate""",
        ]
    parts += [
        "",
        *_elsewhere(files),
        "  llm-mesh chat 'Hello'     llm-mesh spend     llm-mesh tail     llm-mesh doctor     Ctrl-C ends",
        "",
    ]
    return "\n".join(parts) + "\n"


def _elsewhere(files: DataFiles) -> list[str]:
    """What another terminal in this folder must be told for commands to find the mesh: where its data are, if not at the usual place."""
    folder = files.folder.resolve()
    return [] if folder == _USUAL.resolve() else [f"  export LLM_MESH_DATA_DIR={shlex.quote(str(folder))}"]


def _state(http: str, grpc: str, files: DataFiles, done: SetUp) -> list[str]:
    rows = [("HTTP", f"{http}/v1" if http else ""), ("gRPC", grpc), ("data", str(files.folder))]
    keys = f"{files.project_key.name}, {files.admin_key.name} in {files.folder}{' (new)' if done.new_keys else ''}"
    providers = ", ".join((*done.providers, *(("simulator",) if done.simulator else ())))
    rows += [("keys", keys), ("providers", providers or "none: set OPENAI_API_KEY or another provider's key and start again")]
    if done.new_models:
        rows.append(("models", f"{done.new_models} registered in domains/shared"))
    return [f"  {name:<10} {value}" for name, value in rows if value]


def _path(path: Path) -> str:
    """As short as it can be pasted here."""
    short = os.path.relpath(path)
    return str(path) if short.startswith("..") else short
