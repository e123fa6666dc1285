"""A thousand keys, so that no cache of keys is flattered: made over gRPC, as an administrator makes them."""

from __future__ import annotations

import grpc

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc

KEYS = 1_000


async def make_keys(address: str, admin: str, project: str, count: int = KEYS) -> list[str]:
    """So many keys of the project whose key is given, as secrets; `address` is policy's public listener."""
    async with grpc.aio.insecure_channel(address) as channel:
        identity = identity_pb2_grpc.IdentityServiceStub(channel)  # type: ignore[no-untyped-call,unused-ignore]
        caller = (await identity.WhoAmI(identity_pb2.WhoAmIRequest(), metadata=_bearer(project))).caller
        creation = identity_pb2.CreateKeyRequest(parent=caller.project, key=identity_pb2.Key(principal=caller.principal))
        # One after the other: changes by administrators are optimistic, and give up after a few collisions.
        return [(await identity.CreateKey(creation, metadata=_bearer(admin), timeout=60)).secret for _ in range(count)]


def _bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)
