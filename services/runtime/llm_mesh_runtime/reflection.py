"""gRPC reflection, v1 and v1alpha: what `grpcurl` and `buf curl` ask to learn the contracts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

_ALPHA = "grpc.reflection.v1alpha"
_V1 = "grpc.reflection.v1"
_FILE = "grpc/reflection/v1/reflection.proto"


def registrations(contracts: Iterable[str]) -> tuple[tuple[Any, Any], ...]:
    """Both versions of the reflection service, for the given contracts and themselves."""
    _describe_v1()
    names = (*contracts, f"{_ALPHA}.ServerReflection", f"{_V1}.ServerReflection")
    servicer = ReflectionServicer(names)
    return ((reflection_pb2_grpc.add_ServerReflectionServicer_to_server, servicer), (_add_v1, servicer))


def _add_v1(servicer: Any, server: Any) -> None:  # noqa: ANN401 - as generated code
    """The messages of v1 are those of v1alpha under another name, so their bytes are the same."""
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_registered_method_handlers(f"{_V1}.ServerReflection", {"ServerReflectionInfo": handler})


def _describe_v1() -> None:
    """Add v1's description to the pool: Python's package has v1alpha only."""
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName(_FILE)
    except KeyError:
        file = descriptor_pb2.FileDescriptorProto()
        reflection_pb2.DESCRIPTOR.CopyToProto(file)
        file.name, file.package = _FILE, _V1
        for message in file.message_type:
            for field in message.field:
                if field.type_name:
                    field.type_name = field.type_name.replace(f".{_ALPHA}.", f".{_V1}.")
        for service in file.service:
            for method in service.method:
                method.input_type = method.input_type.replace(f".{_ALPHA}.", f".{_V1}.")
                method.output_type = method.output_type.replace(f".{_ALPHA}.", f".{_V1}.")
        pool.AddSerializedFile(file.SerializeToString())
