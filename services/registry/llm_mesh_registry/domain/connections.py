"""What the connection of an endpoint must be like. Whether its adapter may use it is for the adapter's operator to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.errors import invalid

_LONGEST_ADDRESS = 1024
_LONGEST_PATH = 1024
_MOST_RANGES = 16
_MOST_IN_FLIGHT = 100_000
_VISIBLE = re.compile(r"[!-~]+")
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,254}")
_FILES = ("client_certificate_file", "client_key_file", "authorities_file")


def check_connection(connection: registry_pb2.EndpointConnection, field: str) -> None:
    """INVALID_FIELD unless all of it is of its documented form, and the credential is named for this very origin."""
    parts = _address(connection.base_url, f"{field}.base_url", ("https", "http"))
    if parts.scheme == "http" and not connection.allowed_ranges and not connection.local:
        raise invalid(f"{field}.base_url", "must be https, unless allowed_ranges or local is set")
    if connection.like and _PROVIDER.fullmatch(connection.like) is None:
        raise invalid(f"{field}.like", "must be the name of a known provider")
    _check_ranges(connection, f"{field}.allowed_ranges")
    if connection.HasField("credential"):
        _check_credential(connection.credential, f"{parts.scheme}://{parts.netloc}", f"{field}.credential")
    if connection.proxy:
        if connection.local:
            raise invalid(f"{field}.proxy", "must be empty: a local endpoint is reached without one")
        _address(connection.proxy, f"{field}.proxy", ("http",))
    for name in _FILES:
        if getattr(connection, name):
            check_path(getattr(connection, name), f"{field}.{name}")
    if connection.client_key_file and not connection.client_certificate_file:
        raise invalid(f"{field}.client_key_file", "must be empty without client_certificate_file")
    if not 0 <= connection.max_in_flight <= _MOST_IN_FLIGHT:
        raise invalid(f"{field}.max_in_flight", f"must be 0 to {_MOST_IN_FLIGHT:,}")


def check_path(path: str, field: str) -> None:
    """INVALID_FIELD unless it is a file's whole path, without steps upwards."""
    pure = PurePosixPath(path)
    if len(path.encode()) > _LONGEST_PATH or not pure.is_absolute() or ".." in pure.parts or not path.isprintable():
        raise invalid(field, f"must be a whole path without `..`, of at most {_LONGEST_PATH} bytes")


def _address(address: str, field: str, schemes: tuple[str, ...]) -> SplitResult:
    expected = f"must be an address with {' or '.join(schemes)}, without user, query and fragment, of at most {_LONGEST_ADDRESS} bytes"
    if len(address) > _LONGEST_ADDRESS or _VISIBLE.fullmatch(address) is None:
        raise invalid(field, expected)
    parts = _parsed(urlsplit, address, field, expected)
    if parts.scheme not in schemes or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise invalid(field, expected)
    return parts


def _parsed(parse: Callable[[str], SplitResult], address: str, field: str, expected: str) -> SplitResult:
    try:
        parts = parse(address)
        port = parts.port
    except ValueError:
        raise invalid(field, expected) from None
    if port == 0:
        raise invalid(field, expected)
    return parts


def _check_ranges(connection: registry_pb2.EndpointConnection, field: str) -> None:
    if len(connection.allowed_ranges) > _MOST_RANGES:
        raise invalid(field, f"must be at most {_MOST_RANGES} address ranges")
    for index, each in enumerate(connection.allowed_ranges):
        try:
            ip_network(each)
        except ValueError:
            raise invalid(f"{field}[{index}]", "must be an address range such as 10.1.2.0/24") from None


def _check_credential(credential: registry_pb2.CredentialReference, origin: str, field: str) -> None:
    if credential.origin != origin:
        raise invalid(f"{field}.origin", f"must be the origin of base_url, {origin}: name the credential anew when the address changes")
    match credential.WhichOneof("source"):
        case "environment_variable":
            if _VARIABLE.fullmatch(credential.environment_variable) is None:
                raise invalid(f"{field}.environment_variable", "must be a name of A-Z, 0-9 and _, and begin with a letter")
        case "file":
            check_path(credential.file, f"{field}.file")
        case _:
            raise invalid(field, "must have environment_variable or file")
