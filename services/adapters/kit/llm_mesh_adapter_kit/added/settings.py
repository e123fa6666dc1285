"""What the operator of an adapter allows of endpoints that platform administrators add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting

PREFIX = "LLM_MESH_ENDPOINT_CREDENTIAL_"


def _ranges(ranges: tuple[str, ...]) -> str:
    for each in ranges:
        try:
            ip_network(each)
        except ValueError:
            return "address ranges such as 10.1.2.0/24"
    return ""


def _directory(path: str) -> str:
    return "" if not path or Path(path).is_absolute() else "a whole path"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedEndpointSettings:
    """What the settings of every adapter begin with."""

    added_endpoints: bool = setting(default=True, help="Use endpoints that platform administrators add, within these bounds.")
    added_credentials: Mapping[str, Secret] = setting(
        default={}, help="Credentials that added endpoints may refer to, by the name of the variable.", prefix=PREFIX
    )
    added_files: str = setting(
        default="",
        help="Directory of the files that added endpoints may refer to: credentials, certificates. Empty: none.",
        check=_directory,
    )
    added_ranges: tuple[str, ...] = setting(
        default=(),
        help="Address ranges that added endpoints may lead to beside public ones, such as 10.1.2.0/24; loopback, too, in an embedded mesh.",
        check=_ranges,
    )
