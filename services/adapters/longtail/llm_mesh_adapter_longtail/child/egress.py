"""What the library's process may reach: the endpoints that settings name, and nothing else.

The guard is an audit hook: the interpreter asks it before each look-up of a name, each connection and each new process, whoever begins
them, and a hook cannot be removed. It sees what goes through Python's own socket module. Code that is compiled and calls the operating
system by itself passes it by: the network policy of the deployment holds for that, too.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule

_PORTS: Final = {"http": 80, "https": 443}
_NEVER: Final = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
    "socket.bind",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.getnameinfo",
    "socket.sendmsg",
    "ftplib.connect",
    "smtplib.connect",
    "telnetlib.Telnet.open",
)
_UNREPORTED: Final = "socket.bind"
"""Refused and not worth a line: libraries bind a socket of loopback to see whether the machine has IPv6."""
_MOST_KNOWN: Final = 4_096
_MOST_REPORTED: Final = 64


class EgressRefusedError(PermissionError):
    """The library was about to reach what no setting names."""


class Reachable(NamedTuple):
    """One endpoint of the settings."""

    host: str
    port: int
    rule: AddressRule


def reachable(endpoints: Iterable[Mapping[str, Any]]) -> list[Reachable]:
    """The endpoints, each from `base_url`, `local` and `allow`."""
    resolved = []
    for each in endpoints:
        parts = urlsplit(str(each["base_url"]))
        port = parts.port or _PORTS[parts.scheme]
        resolved.append(Reachable(_plain(parts.hostname or ""), port, AddressRule(local=bool(each["local"]), extra=each["allow"])))
    return resolved


class Egress:
    """Decides what may be reached, and tells what was refused."""

    def __init__(self, allowed: Iterable[Reachable], tell: Callable[[str], None]) -> None:
        self._allowed: dict[tuple[str, int], list[AddressRule]] = {}
        for each in allowed:
            self._allowed.setdefault((each.host, each.port), []).append(each.rule)
        self._addresses: dict[tuple[str, int], None] = {}
        """What allowed names have led to."""
        self._tell = tell
        self._reported: set[str] = set()
        self._resolve = socket.getaddrinfo

    def install(self) -> None:
        """From now on nothing else is reached. There is no way back."""
        socket.getaddrinfo = self.getaddrinfo
        sys.addaudithook(self.audit)

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:  # noqa: ANN401 (as the standard library's)
        """Addresses of a name that settings know; those that its rule forbids are left out."""
        rules = self._rules(host, port)
        if not rules:
            raise self._refused(f"{_plain(host)}:{port}")
        resolved = self._resolve(host, port, *args, **kwargs)
        allowed = [each for each in resolved if any(rule.allows(str(each[4][0])) for rule in rules)]
        if resolved and not allowed:
            raise self._refused(f"{_plain(host)}:{port} at {resolved[0][4][0]}")
        if len(self._addresses) > _MOST_KNOWN:
            self._addresses.clear()
        for each in allowed:
            self._addresses[str(each[4][0]), int(each[4][1])] = None
        return allowed

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called by the interpreter. What it raises ends what was about to be done."""
        if event in {"socket.connect", "socket.sendto"}:
            self._check_connection(arguments[0], arguments[1])
        elif event == "socket.getaddrinfo":
            if not self._rules(arguments[0], arguments[1]):
                raise self._refused(f"{_plain(arguments[0])}:{arguments[1]}")
        elif event.startswith(_NEVER):
            raise self._refused(event)

    def _check_connection(self, connecting: socket.socket, address: Any) -> None:  # noqa: ANN401 (of any family)
        if not isinstance(address, tuple) or connecting.family not in {socket.AF_INET, socket.AF_INET6}:
            raise self._refused(f"a socket of family {connecting.family}")
        place = str(address[0]), int(address[1])
        if place not in self._addresses and not self._literal(*place):
            raise self._refused(f"{place[0]}:{place[1]}")

    def _literal(self, host: str, port: int) -> bool:
        """Whether settings name the address itself."""
        return any(rule.allows(host) for rule in self._rules(host, port))

    def _rules(self, host: Any, port: Any) -> list[AddressRule]:  # noqa: ANN401 (as the standard library's)
        number = _PORTS.get(str(port), None) if not str(port).isdigit() else int(port)
        return self._allowed.get((_plain(host), number), []) if number is not None else []

    def _refused(self, what: str) -> EgressRefusedError:
        if what not in self._reported and what != _UNREPORTED and len(self._reported) < _MOST_REPORTED:
            self._reported.add(what)
            self._tell(what)
        return EgressRefusedError(f"{what} is not configured")


def _plain(host: Any) -> str:  # noqa: ANN401 (as the standard library's)
    """A name as it is compared: in lower case, without a last dot; addresses in their one form."""
    text = (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)).rstrip(".").lower()
    try:
        return str(ip_address(text))
    except ValueError:
        return text
