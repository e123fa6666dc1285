"""To which addresses of images and files a provider is sent: https, public hosts, the usual port, and what the operator adds.

The provider fetches the address, from within its own network or, where it is a server of ours, from within ours. So an address that
names no public host is refused in every spelling that a lenient client would understand. Names are not resolved here: what a public name
leads to, and where redirects go, is for the provider to check.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_LONGEST: Final = 8192
_LONGEST_HOST: Final = 253
_DATA: Final = "data:"
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#\\]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[^\[\]@]*\]|[^:\[\]@]*)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_PUNYCODE: Final = "xn--"
_HTTPS: Final = "https"
_PORTS: Final = {"https": "443", "http": "80"}
_NOT_PUBLIC: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan"}
    | {"test", "invalid", "onion", "alt", "arpa"}
)
"""Last labels that no public name has: RFC 2606, 6761, 6762, 7686, 8375, 9476, ICANN's `internal`, and what private networks use."""
_TUNNELS: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("::/96"),
    IPv6Network("fec0::/10"),
)
"""IPv6 addresses that carry an IPv4 address, which routers would unpack; and the former private range, which Python takes for public."""


@dataclass(frozen=True, slots=True)
class MediaRule:
    """Public https addresses, and the origins that an operator adds."""

    origins: frozenset[str] = frozenset()
    """Such as `http://10.1.2.3:8080`, in lower case, without the usual port. `*` stands for every address."""

    def objection(self, uri: str) -> str:
        """Why a provider must not be sent there; empty where it may."""
        if uri[:5].lower() == _DATA or "*" in self.origins:
            return ""
        if len(uri) > _LONGEST or not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri:
            return f"expected an address of at most {_LONGEST} printable ASCII characters, without spaces and backslashes"
        parts = _URL.fullmatch(uri)
        place = None if parts is None else _AUTHORITY.fullmatch(parts[2])
        if parts is None or place is None:
            return "expected an https address without user and password, and with a decimal port if any"
        scheme, host, port = parts[1].lower(), place[1].lower(), place[2] or ""
        if origin(scheme, host, port) in self.origins:
            return ""
        if scheme != _HTTPS or port not in {"", _PORTS[_HTTPS]}:
            return "expected an https address with the usual port"
        return _private(host)


PUBLIC: Final = MediaRule()
"""Public https addresses, and nothing more."""


def origin(scheme: str, host: str, port: str) -> str:
    """Scheme, host and port, as operators write them."""
    return f"{scheme}://{host}" + (f":{port}" if port and port != _PORTS.get(scheme) else "")


def origins_of(texts: list[str]) -> frozenset[str]:
    """The operator's origins. Raises `ValueError` for one that is none."""
    origins = set()
    for text in texts:
        parts = _URL.fullmatch(text.strip())
        place = None if parts is None else _AUTHORITY.fullmatch(parts[2])
        if text.strip() == "*":
            origins.add("*")
        elif parts is None or place is None or not place[1] or parts[3] not in {"", "/"}:
            raise ValueError("expected origins such as http://10.1.2.3:8080, or *")
        else:
            origins.add(origin(parts[1].lower(), place[1].lower(), place[2] or ""))
    return frozenset(origins)


def _private(host: str) -> str:
    """Why the host is not public; empty where it is."""
    if host.startswith("["):
        return _not_public_address(host[1:-1])
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):  # a name never ends in a number, so lenient clients read such a host as an IPv4 address
        return _not_public_address(host)
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        return "expected the name of a host"
    if len(labels) == 1 or labels[-1] in _NOT_PUBLIC:
        return "expected a public host"
    return "" if all(_plain(label) for label in labels) else "expected a host without disguised letters"


def _not_public_address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return "expected the name of a host, or an address in its usual form"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None or any(address in network for network in _TUNNELS) or address.scope_id:
            return "expected a public address in its usual form"
    elif str(IPv4Address(text)) != text:
        return "expected an address in its usual form"
    return "" if address.is_global and not address.is_multicast else "expected a public address"


def _plain(label: str) -> bool:
    """Whether a label is what it seems: punycode that stands for letters which no client would read as others."""
    if not label.startswith(_PUNYCODE):
        return True
    try:
        decoded = label.removeprefix(_PUNYCODE).encode("ascii").decode("punycode")
    except UnicodeError:
        return False
    return not decoded.isascii() and unicodedata.normalize("NFKC", decoded).casefold() == decoded.casefold()
