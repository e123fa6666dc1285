"""`OLLAMA_HOST` as the official client and server read it: a host, a port, both, or an address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_PORT: Final = 11434
_USUAL: Final = {"http": 80, "https": 443}
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 (what a server binds to is read here, and not bound)
PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where a server may be that is named by an operator and is not of this machine."""


@dataclass(frozen=True, slots=True)
class OllamaHost:
    """Where the server answers."""

    base_url: str
    local: bool
    """It runs on this machine."""


def host_of(text: str) -> OllamaHost:
    """The server that a text names. Raises `ValueError` where it is none."""
    scheme, separator, rest = text.strip().partition("://")
    scheme, rest = (scheme.lower(), rest) if separator else ("http", text.strip())
    if scheme not in _USUAL:
        raise ValueError("host: expected an address such as 127.0.0.1:11434 or https://ollama.example")
    parts = urlsplit(f"//{rest}")
    name = parts.hostname or "127.0.0.1"
    port = parts.port or (_USUAL[scheme] if separator else _PORT)
    if name in _EVERYWHERE:  # the address that a server binds to is reached at this machine
        name = "127.0.0.1"
    shown = f"[{name}]" if ":" in name else name
    return OllamaHost(f"{scheme}://{shown}:{port}{parts.path.rstrip('/')}", _is_local(name))


def _is_local(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
