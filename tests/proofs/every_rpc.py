"""Every RPC that there is, from the descriptors: what it is called, who may call it, and a request that its access rule can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from llm_mesh.mesh.v1 import access_pb2

DESCRIPTORS = Path(__file__).resolve().parents[2] / "gen" / "llm_mesh.binpb"
_FIELD = re.compile(r"\{([a-z_.]+)\}")
_VICTIM = "domains/default"
_OWN = re.compile(r"self|platform|domains|adapters|wellKnownModels|models|models/\{input.model\}|files|batches|responses|conversations")
"""Resources that name nobody's domain: whoever asks is told of what is their own."""

_STANDING_IN = {"adapter": "adapter/openai", "link": "policy", "mesh": "process/main"}


@dataclass(frozen=True)
class Rpc:
    """One method of a contract."""

    path: str
    """`/llm_mesh.policy.v1.LedgerService/GetBudget`."""
    public: bool
    resource: str
    request: type[Message]
    response: type[Message]
    client_streams: bool
    server_streams: bool

    @property
    def service(self) -> str:
        """The service that serves it, such as `policy`; of the adapters one stands for all, and of those that serve links."""
        area = self.path.split(".")[1]
        return _STANDING_IN.get(area, area)

    @property
    def of_a_domain(self) -> bool:
        """Whether its request says whose resource it wants."""
        return _OWN.fullmatch(self.resource) is None

    def asking(self) -> Message:
        """A request for something of `domains/default`, as far as the access rule reads it."""
        made = self.request()
        for path in _FIELD.findall(self.resource):
            _set(made, path.split("."), _value(path))
        return made

    def call(self, channel: Any, metadata: tuple[tuple[str, str], ...], timeout: float = 10) -> Any:
        """Call it as any client would: without this project's stubs."""
        kind = f"{'stream' if self.client_streams else 'unary'}_{'stream' if self.server_streams else 'unary'}"
        method = getattr(channel, kind)(
            self.path, request_serializer=self.request.SerializeToString, response_deserializer=self.response.FromString
        )
        request = self.asking()
        metadata += (("x-llm-mesh-adapter", "openai"),) if self.service == "adapter/openai" else ()
        return method(iter([request]) if self.client_streams else request, metadata=metadata, timeout=timeout)


def every_rpc() -> list[Rpc]:
    """All methods of all contracts, in the order of their names."""
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    return sorted(_methods(files), key=lambda rpc: rpc.path)


def _methods(files: descriptor_pb2.FileDescriptorSet) -> Iterator[Rpc]:
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    for file in files.file:
        for service in file.service:
            for method in service.method:
                extensions: Any = method.options.Extensions
                rule: access_pb2.AccessRule = extensions[access_pb2.access]
                classes = [
                    message_factory.GetMessageClass(pool.FindMessageTypeByName(name.removeprefix(".")))
                    for name in (method.input_type, method.output_type)
                ]
                yield Rpc(
                    path=f"/{file.package}.{service.name}/{method.name}",
                    public=rule.level == access_pb2.ACCESS_LEVEL_PUBLIC,
                    resource=rule.resource,
                    request=classes[0],
                    response=classes[1],
                    client_streams=method.client_streaming,
                    server_streams=method.server_streaming,
                )


def _value(path: str) -> str:
    if path.endswith("parent"):
        return _VICTIM
    if path.endswith("principal"):
        return f"{_VICTIM}/principals/application"
    return f"{_VICTIM}/projects/default" if path.endswith(("name", "project")) else "some-id"


def _set(message: Any, path: list[str], value: str) -> None:
    *inner, last = path
    for name in inner:
        message = getattr(message, name)
        message.SetInParent()
    setattr(message, last, value)
