"""Whether an adapter may use an endpoint that was added, and what its references stand for. Reads files: runs in a thread."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_adapter_kit.added.settings import PREFIX, AddedEndpointSettings
from llm_mesh_runtime.secret import Secret

CREDENTIAL = "added"
_LOOPBACK = ("127.0.0.0/8", "::1/128")
_LARGEST_CREDENTIAL = 64 * 1024
_FILES = {"client_certificate": "client_certificate_file", "client_key": "client_key_file", "authorities": "authorities_file"}


class OutOfBoundsError(ValueError):
    """The operator does not allow it, or a reference leads to nothing. The argument names the field, and never a content."""


class EndpointSetting(NamedTuple):
    """An added endpoint as a setting of its adapter has it."""

    name: str
    text: str
    credentials: Mapping[str, Secret]


class AddedEndpointBounds:
    """The operator's bounds. `one_machine`: the mesh is an `up`, with workers or without, whose loopback addresses are its own."""

    def __init__(self, settings: AddedEndpointSettings, *, one_machine: bool) -> None:
        self._credentials = {f"{PREFIX}{name.upper()}": secret for name, secret in settings.added_credentials.items()}
        self._files = settings.added_files
        self._ranges = [ip_network(each) for each in (*settings.added_ranges, *(_LOOPBACK if one_machine else ()))]

    def setting(self, endpoint: registry_pb2.Endpoint) -> EndpointSetting:
        """The endpoint as a setting; raises `OutOfBoundsError`."""
        connection = endpoint.connection
        for index, each in enumerate(connection.allowed_ranges):
            if not any(_within(ip_network(each), allowed) for allowed in self._ranges):
                raise OutOfBoundsError(f"connection.allowed_ranges[{index}]: {each} is outside of what the operator of the adapter allows")
        if connection.local and not self._local:
            raise OutOfBoundsError("connection.local: the operator of the adapter does not allow loopback addresses")
        fields: dict[str, object] = {
            "base_url": connection.base_url,
            "like": connection.like,
            "provider": endpoint.processor or endpoint.description[:64],
            "region": endpoint.region,
            "allow": list(connection.allowed_ranges),
            "local": connection.local,
            "proxy": connection.proxy,
            "http2": connection.http2,
            "max_in_flight": connection.max_in_flight,
            **{key: self._path(getattr(connection, field), field) for key, field in _FILES.items() if getattr(connection, field)},
        }
        credentials: dict[str, Secret] = {}
        if connection.HasField("credential"):
            credentials[CREDENTIAL] = self._credential(connection.credential)
            fields["credential"] = CREDENTIAL
        text = json.dumps({key: value for key, value in fields.items() if value})
        return EndpointSetting(endpoint.name.rpartition("/")[2], text, credentials)

    @property
    def _local(self) -> bool:
        return all(any(_within(ip_network(each), allowed) for allowed in self._ranges) for each in _LOOPBACK[:1])

    def _credential(self, reference: registry_pb2.CredentialReference) -> Secret:
        if reference.WhichOneof("source") == "file":
            return self._content(self._path(reference.file, "credential.file"))
        variable = reference.environment_variable
        if not variable.startswith(PREFIX):
            raise OutOfBoundsError(f"connection.credential.environment_variable: must begin with {PREFIX}")
        secret = self._credentials.get(variable)
        if not secret:
            raise OutOfBoundsError("connection.credential.environment_variable: the adapter's environment does not have it")
        return secret

    def _path(self, path: str, field: str) -> str:
        """Where a file really lies, wherever links lead, which must be below the operator's directory."""
        if not self._files:
            raise OutOfBoundsError(f"connection.{field}: the operator of the adapter allows no files: its setting added_files is empty")
        real, directory = os.path.realpath(path), os.path.realpath(self._files)
        if not Path(real).is_relative_to(directory):
            raise OutOfBoundsError(
                f"connection.{field}: lies outside of the directory that the operator of the adapter allows (added_files)"
            )
        return real

    @staticmethod
    def _content(path: str) -> Secret:
        """Text without space at its ends. Links were followed before: what has become one since is not read."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OutOfBoundsError("connection.credential.file: is no file")
                content = file.read(_LARGEST_CREDENTIAL + 1)
            text = content.decode().strip()
        except (OSError, UnicodeDecodeError):
            raise OutOfBoundsError("connection.credential.file: cannot be read") from None
        if not text or len(content) > _LARGEST_CREDENTIAL or not text.isprintable():
            raise OutOfBoundsError("connection.credential.file: must have one line of text")
        return Secret(text)


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
