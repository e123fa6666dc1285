"""The addresses behind the target of a batched link: one connection goes to each."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

_DNS = "dns:"
_FIXED = ("unix:", "unix-abstract:", "ipv4:", "ipv6:")
_MOST = 64


@dataclass(frozen=True, slots=True)
class Name:
    """A target: fixed addresses of gRPC's own form, or a name with a port that is resolved again and again."""

    fixed: tuple[str, ...] = ()
    host: str = ""
    port: int = 0

    @classmethod
    def read(cls, target: str) -> Name:
        """The target after `mux+`. Raises `ValueError` for what is none."""
        if target.startswith(_FIXED):
            scheme, _, rest = target.partition(":")
            several = rest.split(",") if scheme in {"ipv4", "ipv6"} else [rest]
            return cls(fixed=tuple(f"{scheme}:{each}" for each in several))
        host, _, port = target.removeprefix(_DNS).rpartition("/")[2].rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("expected a host and a port, such as mux+dns:///policy:50054, or mux+unix:/run/llm-mesh/policy.sock")
        bare = host.strip("[]")
        try:
            return cls(fixed=(_address(bare, int(port), ipaddress.ip_address(bare).version == 6),))  # noqa: PLR2004 - IPv6
        except ValueError:
            return cls(host=bare, port=int(port))

    async def addresses(self) -> tuple[str, ...]:
        """The present addresses, as targets of gRPC. Raises `OSError` where the name cannot be resolved."""
        if self.fixed:
            return self.fixed
        resolved = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        every = (_address(str(address[0]), self.port, family == socket.AF_INET6) for family, _, _, _, address in resolved)
        return tuple(dict.fromkeys(every))[:_MOST]


def _address(host: str, port: int, v6: bool) -> str:  # noqa: FBT001 - one of two
    return f"ipv6:[{host}]:{port}" if v6 else f"ipv4:{host}:{port}"
