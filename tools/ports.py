"""Looks whether the ports that `make up` is going to listen on are free, before minutes are spent on installing.

python tools/ports.py [--http HOST:PORT] [--grpc HOST:PORT] …    with the arguments of `llm-mesh up`

It runs on any Python before anything is installed. Where a file has settings, it leaves the question to `llm-mesh up`.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys

ADDRESSES = (
    ("HTTP", "http", "LLM_MESH_HTTP", "127.0.0.1:8080"),
    ("gRPC", "grpc", "LLM_MESH_GRPC", "127.0.0.1:50051"),
    ("the simulator", "", "LLM_MESH_SIMULATOR_ADDRESS", "127.0.0.1:8099"),
)
FILE = "LLM_MESH_CONFIG"


def problem(address: str) -> str:
    """Why nobody can listen there; empty where one can, and where the address is for others to judge."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 (the last port)
        return ""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host or "127.0.0.1", int(port)))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def main(arguments: list[str], environ: dict[str, str]) -> int:
    """Say which ports are taken; answers with the exit code."""
    if environ.get(FILE):
        return 0
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--http")
    parser.add_argument("--grpc")
    chosen = vars(parser.parse_known_args(arguments)[0])
    taken = False
    for what, option, setting, usual in ADDRESSES:
        address = chosen.get(option) or environ.get(setting) or usual
        if why := problem(address):
            taken = True
            other = f"{setting}=HOST:PORT" + (f', or make up ARGS="--{option} HOST:PORT",' if option else "")
            sys.stderr.write(f"cannot listen on {address} ({what}): {why}; {other} names another address\n")
    return int(taken)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], dict(os.environ)))
