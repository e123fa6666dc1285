"""`serve` without the command line's framework: a service that starts does not wait for it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

HELP = "Serve one or more services until SIGTERM; peers are found by LLM_MESH_LINK_…, settings by LLM_MESH_…."
SERVICES_HELP = "Names such as policy, gateway or adapter/openai."
READY_HELP = "A file that is written when the services serve, and removed at the end."


@dataclass(frozen=True, slots=True)
class ServeArguments:
    """What was asked for."""

    services: list[str]
    ready_file: Path | None = None


def parsed(words: list[str]) -> ServeArguments:
    """The arguments after `serve`; ends the process with status 2 where they are wrong."""
    parser = argparse.ArgumentParser(prog="llm-mesh serve", description=HELP, allow_abbrev=False)
    parser.add_argument("services", nargs="+", help=SERVICES_HELP)
    parser.add_argument("--ready-file", type=Path, help=READY_HELP)
    return ServeArguments(**vars(parser.parse_intermixed_args(words)))


def start(arguments: ServeArguments) -> int:
    """Host the services until the end; answers with the exit code."""
    from llm_mesh_runtime.host import run  # noqa: PLC0415 (wrong arguments are told without the host)

    return run(arguments.services, mode="separate", ready_file=arguments.ready_file)
