"""Whether a call is what policy granted. Nothing is sent for one that is not."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import DecodeError

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import grant_mismatch
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid_seal
from llm_mesh_runtime.seals import Seals

_SAME = ("adapter", "endpoint", "upstream_model", "credential", "region")


class Granted(NamedTuple):
    """What one attempt may do."""

    domain: str
    max_output_tokens: int
    max_candidates: int
    zero_retention: bool


class GrantCheck:
    """Checks grants for one adapter."""

    def __init__(self, adapter: str, seals: Seals, clock: Clock) -> None:
        self._adapter = adapter
        self._audience = f"adapter/{adapter}"
        self._seals = seals
        self._clock = clock

    def granted(self, sealed: resources_pb2.Sealed, attempt: plan_pb2.Attempt, endpoint: Endpoint) -> Granted:
        """What the grant allows the attempt; raises where it is missing, forged, expired or about something else."""
        grant = self._opened(sealed)
        found = _granted(grant, attempt.id)
        adapter, region, most_output = found.adapter, found.region, found.max_output_tokens
        if not (
            adapter == attempt.adapter
            and found.endpoint == attempt.endpoint
            and found.upstream_model == attempt.upstream_model
            and found.credential == attempt.credential
            and region == attempt.region
        ):
            raise grant_mismatch(f"attempt.{_other(found, attempt)}")
        if adapter != self._adapter:
            raise grant_mismatch("attempt.adapter")
        if region and endpoint.region and region != endpoint.region:
            raise grant_mismatch("attempt.region")
        if attempt.max_output_tokens > most_output:
            raise grant_mismatch("attempt.max_output_tokens")
        return Granted(grant.domain, most_output, found.max_candidates, grant.zero_retention)

    def _opened(self, sealed: resources_pb2.Sealed) -> admission_pb2.Grant:
        payload = self._seals.opened(self._audience, sealed, what="grant")
        try:
            grant = admission_pb2.Grant.FromString(payload)
        except DecodeError:
            raise invalid_seal("grant") from None
        expiry = grant.expire_time
        if expiry.seconds + expiry.nanos / 1e9 <= self._clock.now().timestamp():
            raise invalid_seal("grant")
        return grant


def _other(found: admission_pb2.AttemptGrant, attempt: plan_pb2.Attempt) -> str:
    """The first field in which they differ."""
    return next(name for name in _SAME if getattr(found, name) != getattr(attempt, name))


def _granted(grant: admission_pb2.Grant, attempt: str) -> admission_pb2.AttemptGrant:
    for each in grant.attempts:
        if each.attempt_id == attempt and attempt:
            return each
    raise grant_mismatch("attempt.id")
