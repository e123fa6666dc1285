"""The instances of a service behind one name: each has its own health, clock and breakers, and a connection reaches only one of them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import defaultdict


async def instances(address: str) -> list[str]:
    """The addresses that a name stands for; the address itself where it is no name, or one of a single instance."""
    host, _, port = address.removeprefix("dns:///").rpartition(":")
    if not port.isdecimal() or _is_number(host) or address.startswith("unix:"):
        return [address]
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except OSError:
        return [address]  # whoever connects there says what is wrong
    families: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for family, _, _, _, place in addresses:
        shown = f"[{place[0]}]" if family == socket.AF_INET6 else str(place[0])
        families[family][f"{shown}:{int(place[1])}"] = None
    most = max(families.values(), key=len)
    return sorted(most) if len(most) > 1 else [address]  # one instance may have an address of each family


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
