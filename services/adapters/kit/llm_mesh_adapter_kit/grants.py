"""Whether a call is what policy granted. Nothing is sent for one that is not."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import grant_mismatch
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid_seal
from llm_mesh_runtime.seals import Seals
from llm_mesh_runtime.shares import Party

_GRANT: str = admission_pb2.Grant.DESCRIPTOR.full_name
_PROOFS = "proofs of reasoning"
_MOST_DOMAINS = 4_096
_SAME = ("adapter", "endpoint", "upstream_model", "credential", "region")


class Job:
    """An attempt whose grant is checked, and what the grant allows it. `most_output` is the tighter limit of plan and grant."""

    __slots__ = (
        "attempt", "credential", "domain", "endpoint", "grant", "id", "max_candidates", "model", "most_granted", "most_output", "party",
        "proof_key", "zero_retention",
    )  # fmt: skip

    def __init__(
        self,
        endpoint: Endpoint,
        attempt: plan_pb2.Attempt,
        grant: admission_pb2.Grant,
        granted: admission_pb2.AttemptGrant,
        proof_key: bytes,
    ) -> None:
        """Reads each text once: each reading makes a new one."""
        self.endpoint = endpoint
        self.attempt = attempt
        self.grant = grant
        self.id = attempt.id
        self.model = attempt.upstream_model
        self.credential = attempt.credential
        self.domain = grant.domain
        self.party = Party(self.domain, grant.project)
        self.proof_key = proof_key
        self.zero_retention = grant.zero_retention
        self.max_candidates = granted.max_candidates
        self.most_granted = granted.max_output_tokens
        self.most_output = attempt.max_output_tokens or self.most_granted

    def ask(self, requested_output: int, *, stream: bool) -> Ask:
        """What the dialect needs to know: the tightest limit of request, plan and grant is sent."""
        most = self.most_output
        limit = min(requested_output or most, most)
        return Ask(
            self.endpoint, self.model, limit, stream, self.zero_retention, credential=self.credential, proof_key=self.proof_key
        )  # fmt: skip


def check_generation(job: Job, source: generate_pb2.GenerateInput) -> None:
    """Raises GRANT_MISMATCH where a generation asks for more than its grant allows."""
    if job.most_granted < 1:
        raise grant_mismatch("attempt.max_output_tokens")
    if max(1, source.candidate_count) > job.max_candidates:
        raise grant_mismatch("input.candidate_count")


class GrantCheck:
    """Checks grants for one adapter."""

    def __init__(self, adapter: str, seals: Seals, clock: Clock) -> None:
        self._adapter = adapter
        self._audience = f"adapter/{adapter}"
        self._seals = seals
        self._clock = clock
        self._proof_keys: dict[str, bytes] = {}

    def proof_key(self, domain: str) -> bytes:
        """The secret of a domain at this adapter, the same in all of its processes."""
        key = self._proof_keys.get(domain)
        if key is None:
            if len(self._proof_keys) >= _MOST_DOMAINS:
                self._proof_keys.clear()
            key = self._proof_keys[domain] = self._seals.seal(self._audience, _PROOFS, domain.encode())
        return key

    def job(self, sealed: resources_pb2.Sealed, attempt: plan_pb2.Attempt, endpoint: Endpoint) -> Job:
        """The attempt at its endpoint, as the grant allows it; raises where that is missing, forged, expired or about something else."""
        grant = self._opened(sealed)
        granted = _granted(grant, attempt.id)
        job = Job(endpoint, attempt, grant, granted, self.proof_key(grant.domain))
        adapter, region = granted.adapter, granted.region
        if not (
            adapter == attempt.adapter
            and granted.endpoint == endpoint.name
            and granted.upstream_model == job.model
            and granted.credential == job.credential
            and region == attempt.region
        ):
            raise grant_mismatch(f"attempt.{_other(granted, attempt)}")
        if adapter != self._adapter:
            raise grant_mismatch("attempt.adapter")
        if region and endpoint.region and region != endpoint.region:
            raise grant_mismatch("attempt.region")
        if job.most_output > job.most_granted:
            raise grant_mismatch("attempt.max_output_tokens")
        return job

    def _opened(self, sealed: resources_pb2.Sealed) -> admission_pb2.Grant:
        payload = self._seals.opened(self._audience, _GRANT, sealed, what="grant")
        try:
            grant = admission_pb2.Grant.FromString(payload)
        except DecodeError:
            raise invalid_seal("grant") from None
        expiry = grant.expire_time
        if expiry.seconds + expiry.nanos / 1e9 <= self._clock.now().timestamp():
            raise invalid_seal("grant")
        return grant


def _other(granted: admission_pb2.AttemptGrant, attempt: plan_pb2.Attempt) -> str:
    """The first field in which they differ."""
    return next(name for name in _SAME if getattr(granted, name) != getattr(attempt, name))


def _granted(grant: admission_pb2.Grant, attempt: str) -> admission_pb2.AttemptGrant:
    for each in grant.attempts:
        if each.attempt_id == attempt and attempt:
            return each
    raise grant_mismatch("attempt.id")
