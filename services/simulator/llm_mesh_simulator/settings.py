"""What an operator can set: where the simulator listens, whether it wants a key, and where it keeps its log."""

import ipaddress
from dataclasses import dataclass

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


def _address(address: str) -> str:
    host, _, port = address.rpartition(":")
    return "" if host and port.isdigit() else "expected host:port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The simulator's settings, from `LLM_MESH_SIMULATOR_*` or the table `[simulator]`."""

    address: str = setting(default="127.0.0.1:8099", help="Where the simulator listens. Loopback only, unless exposed.", check=_address)
    exposed: bool = setting(
        default=False, help="Lets the simulator listen on an address that is not loopback: for containers on a private network."
    )
    log_path: str = setting(default="", help="The append-only log. Empty: simulator.log.jsonl in the data directory; `-`: in memory only.")
    log_fsync: bool = setting(default=False, help="Whether each line of the log reaches the disk before the answer starts.")
    log_kept: int = setting(default=10_000, help="How many lines of the log /_simulator/log can show.", minimum=1, maximum=1_000_000)
    keep_requests: int = setting(default=256, help="How many requests /_simulator/requests can show whole.", minimum=0, maximum=10_000)
    api_key: Secret = setting(default=Secret(""), help="The key that requests must carry. Empty: any key, or none.")

    def __post_init__(self) -> None:
        """Refuses to answer strangers by accident: everybody may set behaviours here."""
        host = self.address.rpartition(":")[0].strip("[]")
        if not self.exposed and not _is_loopback(host):
            raise ValueError(f"address {self.address!r} is not loopback; the simulator is for this machine only (see `exposed`)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
