"""The methods of a service as its contract declares them, collected from the generated `add_…_to_server`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pool

from llm_mesh.mesh.v1 import access_pb2

Registration = tuple[Callable[[Any, Any], None], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: its canonical path, who may call it, its messages, and what handles it."""

    path: str
    contract: str
    name: str
    rule: access_pb2.AccessRule | None
    """None only for health and reflection, which need no key and bypass the limiter."""
    parse: Callable[[bytes], Any]
    serialise: Callable[[Any], bytes]
    behaviour: Callable[[Any, Any], Any]
    request: Any
    """The request's descriptor."""
    request_streaming: bool
    response_streaming: bool
    public: bool
    """Whether it is served on the public listener."""


class _Collector:
    """Takes the place of a server in the generated registration functions."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[object]) -> None:
        """Generated code calls this for old servers; the registered handlers below say more."""

    def add_registered_method_handlers(self, contract: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        if contract in self.services:
            raise ValueError(f"{contract} is registered twice in one service")
        self.services[contract] = handlers


def methods_of(registrations: Iterable[Registration], *, open_access: bool = False) -> tuple[Method, ...]:
    """All methods of the registrations. A method without an access rule refuses to register, unless all are open."""
    collector = _Collector()
    for add_to_server, servicer in registrations:
        add_to_server(servicer, collector)
    return tuple(
        _method(contract, name, handler, open_access=open_access)
        for contract, handlers in collector.services.items()
        for name, handler in handlers.items()
    )


def _method(contract: str, name: str, handler: Any, *, open_access: bool) -> Method:  # noqa: ANN401 - grpc's handlers are untyped
    service = descriptor_pool.Default().FindServiceByName(contract)
    descriptor = service.methods_by_name[name]
    path = f"/{contract}/{name}"
    rule = None if open_access else _rule(path, descriptor)
    return Method(
        path=path,
        contract=contract,
        name=name,
        rule=rule,
        parse=handler.request_deserializer,
        serialise=handler.response_serializer,
        behaviour=_behaviour(handler),
        request=descriptor.input_type,
        request_streaming=handler.request_streaming,
        response_streaming=handler.response_streaming,
        public=rule is None or rule.level == access_pb2.ACCESS_LEVEL_PUBLIC,
    )


def _rule(path: str, descriptor: Any) -> access_pb2.AccessRule:  # noqa: ANN401 - protobuf's descriptors have no common type
    rule: access_pb2.AccessRule = descriptor.GetOptions().Extensions[access_pb2.access]
    if not rule.level or not rule.resource or not rule.action:
        raise ValueError(f"{path} declares no access rule: give it level, resource and action in its contract")
    return rule


def _behaviour(handler: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - see above
    for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
        behaviour: Callable[[Any, Any], Any] | None = getattr(handler, kind)
        if behaviour is not None:
            return behaviour
    raise ValueError("a handler without behaviour")
