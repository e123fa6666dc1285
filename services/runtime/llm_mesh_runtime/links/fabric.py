"""The links of one process: which peers it hosts, where the others are, one channel per pair."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, cast

from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens
from llm_mesh_runtime.links.local import LocalChannel, LocalServer
from llm_mesh_runtime.links.outbound import Metadata, Outbound
from llm_mesh_runtime.settings.naming import link_variable

if TYPE_CHECKING:
    import grpc

    from llm_mesh_runtime.links.mux import MuxChannel
    from llm_mesh_runtime.links.remote import RemoteChannel
    from llm_mesh_runtime.links.tls import Tls
    from llm_mesh_runtime.seals import Seals
    from llm_mesh_runtime.telemetry.metrics import Metrics

_LOCAL = "local:"
_BATCHED = "mux+"
_SCHEMES = ("dns:", "unix:", "ipv4:", "ipv6:", "passthrough:", "unix-abstract:")


class LinkError(Exception):
    """A link that cannot be made: told at the start, in one line."""


class Fabric:
    """Hands out channels. Hosted peers are reached in the process, unless a target says otherwise."""

    def __init__(  # noqa: PLR0913 (a process has this many parts that links concern)
        self,
        hosted: Iterable[str],
        *,
        seals: Seals,
        targets: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        tokens: ServiceTokens | None = None,
        trace: Callable[[], Metadata] | None = None,
        metrics: Metrics | None = None,
        embedded: bool = False,
        private: str = "",
        mesh_id: str = "",
    ) -> None:
        self.seals = seals
        self.mesh_id = mesh_id
        self.embedded = embedded
        self._private = private
        self._hosted = frozenset(hosted)
        self._targets = {name: target for name, target in (targets or {}).items() if target}
        self._tls = tls
        self._tokens = tokens
        self._trace = trace
        self._metrics = metrics
        self._servers: dict[str, LocalServer] = {}
        self._channels: dict[tuple[str, str], LocalChannel | MuxChannel | RemoteChannel] = {}

    def add(self, server: LocalServer) -> None:
        """A hosted service is built, and can be called from now on."""
        self._servers[server.name] = server

    def server(self, name: str) -> LocalServer | None:
        """The hosted service of that name."""
        return self._servers.get(name)

    def reachable(self, name: str) -> bool:
        """Whether the peer is hosted or configured."""
        return name in self._hosted or name in self._targets

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """All peers whose name begins so."""
        return tuple(sorted(name for name in self._hosted | self._targets.keys() if name.startswith(prefix)))

    def channel(self, caller: str, name: str) -> grpc.aio.Channel:
        """The channel from one service to another."""
        channel = self._channels.get((caller, name))
        if channel is None:
            channel = self._channels[caller, name] = self._connect(caller, name)
        return cast("grpc.aio.Channel", channel)  # generated stubs want no more than its four methods

    async def close(self) -> None:
        """Close the connections."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close()

    def _connect(self, caller: str, name: str) -> LocalChannel | MuxChannel | RemoteChannel:
        own = caller == name and name in self._hosted  # never by way of the network, where another instance might answer
        target = _LOCAL if own else self._targets.get(name, _LOCAL if name in self._hosted else "")
        if target == _LOCAL:
            if name not in self._hosted:
                raise LinkError(f"the link to {name} is `local:`, but {name} is not hosted in this process")
            return LocalChannel(functools.partial(self._servers.get, name), Outbound(caller, trace=self._trace))
        if not target:
            raise LinkError(f"{caller} needs {name}: host it in this process or set {link_variable(name)}, such as dns:///HOST:PORT")
        if target.startswith(_BATCHED):
            return self._batched(caller, name, target.removeprefix(_BATCHED))
        if not target.startswith(_SCHEMES):
            target = "dns:///" + target
        from llm_mesh_runtime.links.remote import RemoteChannel  # noqa: PLC0415 - embedded, no channel is ever opened

        tls = self._tls_to(target)
        return RemoteChannel(name, target, Outbound(caller, trace=self._trace, identity=self._identity(caller, name, tls)), tls)

    def _batched(self, caller: str, name: str, target: str) -> MuxChannel:
        from llm_mesh_runtime.links.mux import MuxChannel, Name  # noqa: PLC0415 - see above

        try:
            dialled = Name.read(target)
        except ValueError as wrong:
            raise LinkError(f"the link to {name}: {wrong}") from wrong
        tls = self._tls_to(target)
        outbound, identity = Outbound(caller, trace=self._trace), self._identity(caller, name, tls)
        return MuxChannel(name, dialled, outbound, identity=identity, tls=tls, metrics=self._metrics)

    def _tls_to(self, target: str) -> Tls | None:
        """Certificates are for peers elsewhere: between the processes of one mesh tokens say who calls."""
        return None if self._private and target.startswith(self._private) else self._tls

    def _identity(self, caller: str, name: str, tls: Tls | None) -> Callable[[], Metadata] | None:
        tokens = self._tokens
        if tokens is None or (tls is not None and tls.mutual):
            return None
        return lambda: ((HEADER, tokens.token(caller, name)),)
