"""The arguments of `up`, parsed without the command line's framework: a mesh that starts does not wait for it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELP = "Start every installed service in one process, on SQLite in the data directory; with --workers in several, behind one port."
HTTP_HELP = "Address of the HTTP listener (LLM_MESH_HTTP; 127.0.0.1:8080)."
GRPC_HELP = "Address of the gRPC listener (LLM_MESH_GRPC; 127.0.0.1:50051)."
DATA_HELP = "Where databases and keys are kept (LLM_MESH_DATA_DIR; .llm-mesh)."
WORKERS_HELP = "Processes that accept HTTP (LLM_MESH_WORKERS; 1: everything in one process). At most as many as there are cores pay off."
READY_HELP = "A file that is written when every service serves and set-up is done, and removed at the end."
QUIET_HELP = "Print no panel."


@dataclass(frozen=True, slots=True)
class UpArguments:
    """What was asked for; None leaves it to the environment."""

    http: str | None = None
    grpc: str | None = None
    data_dir: Path | None = None
    workers: int | None = None
    ready_file: Path | None = None
    quiet: bool = False

    def overrides(self) -> dict[str, Any]:
        """The mesh settings that win over environment and file."""
        options = {"http": self.http, "grpc": self.grpc, "data_dir": self.data_dir}
        return {name: value for name, value in options.items() if value is not None}


def parsed(words: list[str]) -> UpArguments:
    """The arguments after `up`; ends the process with status 2 where they are wrong."""
    parser = argparse.ArgumentParser(prog="llm-mesh up", description=HELP, allow_abbrev=False)
    parser.add_argument("--http", help=HTTP_HELP)
    parser.add_argument("--grpc", help=GRPC_HELP)
    parser.add_argument("--data-dir", type=Path, help=DATA_HELP)
    parser.add_argument("--workers", type=int, metavar="N", help=WORKERS_HELP)
    parser.add_argument("--ready-file", type=Path, help=READY_HELP)
    parser.add_argument("--quiet", action="store_true", help=QUIET_HELP)
    return UpArguments(**vars(parser.parse_args(words)))
