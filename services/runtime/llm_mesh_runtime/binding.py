"""Sockets that listen, and what is said where that cannot be: who has the port, and which setting names another one."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from llm_mesh_runtime.start_error import StartError

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENING = "0A"
_MOST_PROCESSES = 4096
_LONGEST_COMMAND = 80


class Owner(NamedTuple):
    """Whose listener it is, and which setting names its address."""

    what: str
    setting: str = ""


def bind(address: str, owner: Owner, *, shared: bool = False) -> socket.socket:
    """A socket that is bound to `host:port` and does not listen yet. A shared one lets others of the same user listen there."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal():
        raise StartError(f"{address!r} is no address of the form host:port{_set_by(owner)}")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, int(port)))
    except (OSError, OverflowError) as error:
        sock.close()
        raise StartError(f"cannot listen on {address} ({owner.what}): {_why(error, int(port))}{_set_by(owner)}") from error
    return sock


def _why(error: OSError | OverflowError, port: int) -> str:
    if isinstance(error, OverflowError):
        return "a port is 0 to 65535"
    holder = holder_of(port)
    return f"{error.strerror or error}{f', {holder} has it' if holder else ''}"


def _set_by(owner: Owner) -> str:
    return f"; {owner.setting} names another address" if owner.setting else ""


def holder_of(port: int) -> str:
    """The process that listens on a port, such as `process 4711 (llm-mesh up)`. Empty where the system does not tell us."""
    with suppress(OSError, ValueError):
        inodes = _listening(port)
        for number in sorted((int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()), reverse=True)[:_MOST_PROCESSES]:
            if inodes and _holds(number, inodes):
                return f"process {number} ({_command(number)})"
    return ""


def _listening(port: int) -> set[str]:
    """The sockets that listen on a port, as the kernel numbers them."""
    names: set[str] = set()
    for table in _TABLES:
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                cells = line.split()
                if cells[3] == _LISTENING and int(cells[1].rpartition(":")[2], 16) == port:
                    names.add(f"socket:[{cells[9]}]")
    return names


def _holds(process: int, inodes: set[str]) -> bool:
    with suppress(OSError):
        for entry in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                if str(entry.readlink()) in inodes:
                    return True
    return False


def _command(process: int) -> str:
    """What was called, by the names of its programs: arguments may have secrets in them."""
    words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    programs = [Path(word).name for word in words[:2] if word and not word.startswith("-")]
    return "".join(each for each in " ".join(programs) if each.isprintable())[:_LONGEST_COMMAND]
