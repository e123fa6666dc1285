"""The gRPC listeners of a process: one public for all services, or a mesh listener per service."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh_runtime.host.errors import StartError
from llm_mesh_runtime.links.remote import SLACK
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.pipeline import Origin, Wrapped
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.server import LinkServer

_MAX_AGE_MS = 300_000
_HANDLERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class Listener:
    """One `grpc.aio` server on one address."""

    def __init__(
        self, address: str, origin: Origin, *, tls: Tls | None = None, mutual: bool = False, stream_deadline: float = 600.0
    ) -> None:
        self.address = address
        self._origin = origin
        self._server = grpc.aio.server(options=_options(stream_deadline))
        self.port = self._bind(address, tls, mutual=mutual)
        self._started = False
        self._link: LinkServer | None = None

    def _bind(self, address: str, tls: Tls | None, *, mutual: bool) -> int:
        try:
            if tls is not None and tls.certificate:
                return self._server.add_secure_port(address, tls.server(mutual=mutual))
            return self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise StartError(f"cannot listen on {address} (gRPC): is another process using it?") from error

    def serve(self, handlers: Iterable[Wrapped], link: LinkServer | None = None) -> None:
        """Take the handlers, and the batched link beside them; two services must not claim the same method on one listener."""
        self._link = link
        if link is not None:
            handlers = (*handlers, *link.handlers())
        contracts: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for wrapped in handlers:
            method = wrapped.method
            methods = contracts.setdefault(method.contract, {})
            if method.name in methods:
                raise StartError(f"{method.path} is served twice on {self.address}")
            make = _HANDLERS[method.request_streaming, method.response_streaming]
            methods[method.name] = make(functools.partial(_invoke, wrapped.invoke, self._origin))
        for contract, methods in contracts.items():
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(contract, methods),))

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()
        self._started = True

    async def stop(self, grace: float) -> None:
        """Accept no more calls; those that run may finish within the grace."""
        if self._link is not None:
            self._link.go_away()
        await self._server.stop(grace if self._started else None)


async def _invoke(invoke: Any, origin: Origin, request: Any, context: Any) -> Any:  # noqa: ANN401 - bytes or an iterator of them
    return await invoke(request, context, origin)


def _options(stream_deadline: float) -> list[tuple[str, Any]]:
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_send_message_length", MAX_MESSAGE + SLACK),
        ("grpc.max_receive_message_length", MAX_MESSAGE + SLACK),
        ("grpc.max_connection_age_ms", _MAX_AGE_MS),
        ("grpc.max_connection_age_grace_ms", int(stream_deadline * 1000)),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
