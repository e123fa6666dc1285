"""Deciding on a rendered request: who may, within which bounds, with what masked. Writes nothing; `Reserve` decides on money."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from google.protobuf.message import Message

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, errors_pb2, identity_pb2, policy_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.admission import bounds, texts
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.ledger.reserving import Seals as ProofsOnly
from llm_mesh_policy.domain.screening.requests import screened
from llm_mesh_policy.domain.screening.rules import ScreeningRules
from llm_mesh_policy.domain.screening.scan import Watchlist
from llm_mesh_policy.domain.screening.streams import state_of
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid

VALID_FOR = timedelta(seconds=60)
_DEFAULT_DATA_CLASS = "internal"


class Tenancy(Protocol):
    """What is known of domains and projects, in memory."""

    @property
    def domains(self) -> Mapping[str, identity_pb2.Domain]:
        """By name."""

    @property
    def projects(self) -> Mapping[str, identity_pb2.Project]:
        """By name."""

    @property
    def revision(self) -> int:
        """What it is the state of."""


class Identity(Protocol):
    """What admission asks of identity."""

    def snapshot(self) -> Tenancy:
        """The present state."""

    def allowed_model(self, caller: admission_pb2.Caller, alias: str) -> None:
        """Raises MODEL_DENIED unless roles, project and key allow the alias."""


class Seals(ProofsOnly, Protocol):
    """Proofs, made and checked."""

    def sealed(self, payload: bytes, *audiences: str) -> resources_pb2.Sealed:
        """The payload with a proof per audience."""


@dataclass(frozen=True, slots=True)
class OutputBounds:
    """Most output tokens per choice, where a project says nothing: without a wish of the request, and at all."""

    default: int
    most: int


class Admitting:
    """Admits requests."""

    def __init__(
        self, identity: Identity, seals: Seals, clock: Clock, rules: ScreeningRules, *, outputs: OutputBounds, screen_output: bool
    ) -> None:
        self._identity = identity
        self._seals = seals
        self._clock = clock
        self._rules = rules
        self._outputs = outputs
        self._screen_output = screen_output

    async def admit(self, request: policy_pb2.AdmitRequest) -> policy_pb2.AdmitResponse:
        """Decides on one request."""
        now = self._clock.now()
        caller = sealed.caller_in(request.caller, self._seals)
        if caller.expire_time.ToMicroseconds() <= int(now.timestamp() * 1_000_000):
            raise sealed.expired("caller")
        if not caller.project:
            raise PolicyError(errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED, "the credential spans projects and none was selected")
        bounds.check_tags(request.tags)
        operation, alias, wanted = _checked(request)
        self._identity.allowed_model(caller, alias)
        watchlist = self._rules.of(caller.domain)
        response = policy_pb2.AdmitResponse()
        admitted = await self._screened(request, watchlist, response)
        admission = self._admission(caller, wanted, watchlist)
        admission.alias, admission.operation = alias, operation
        admission.tags.update(request.tags)
        admission.input_digest = hashlib.sha256(admission.id.encode() + admitted.SerializeToString(deterministic=True)).digest()
        admission.expire_time.FromDatetime(now + VALID_FOR)
        response.admission.CopyFrom(self._seals.sealed(admission.SerializeToString(), sealed.AUDIENCE, "router"))
        response.obligations.CopyFrom(admission.obligations)
        response.constraints.CopyFrom(admission.constraints)
        return response

    async def _screened(self, request: policy_pb2.AdmitRequest, watchlist: Watchlist, response: policy_pb2.AdmitResponse) -> Message:
        """The input as it may go on; also in the response where it differs from what came."""
        if request.HasField("embed"):
            embedding = await screened(request.embed, texts.of_embed, watchlist)
            response.findings.extend(embedding.findings)
            if embedding.masked is None:
                return request.embed
            response.embed.CopyFrom(embedding.masked)
            return response.embed
        generation = await screened(request.generate, texts.of_generate, watchlist)
        response.findings.extend(generation.findings)
        if generation.masked is None:
            return request.generate
        response.generate.CopyFrom(generation.masked)
        return response.generate

    def _admission(self, caller: admission_pb2.Caller, wanted: int, watchlist: Watchlist) -> admission_pb2.Admission:
        tenancy = self._identity.snapshot()
        domain = tenancy.domains.get(caller.domain, identity_pb2.Domain())
        project = tenancy.projects.get(caller.project, identity_pb2.Project())
        most = project.max_output_tokens or self._outputs.most
        admission = admission_pb2.Admission(
            id=secrets.token_hex(16),
            caller=caller,
            constraints=admission_pb2.Constraints(
                regions=domain.regions,
                data_class=domain.default_data_class or _DEFAULT_DATA_CLASS,
                max_output_tokens=min(wanted or project.max_output_tokens or self._outputs.default, most),
            ),
            revision=tenancy.revision,
        )
        if self._screen_output and watchlist:
            admission.obligations.screen_output = True
            admission.obligations.screen_state = state_of(admission.id, watchlist, self._seals)
        return admission


def _checked(request: policy_pb2.AdmitRequest) -> tuple[str, str, int]:
    """The operation, the alias and the wish for output tokens of an input that is within its documented bounds."""
    kind = request.WhichOneof("input")
    if kind == "generate":
        bounds.check_generate(request.generate)
        return "generate", request.generate.model, request.generate.max_output_tokens
    if kind == "embed":
        bounds.check_embed(request.embed)
        return "embed", request.embed.model, 0
    raise invalid("input", "a generation or an embedding")
