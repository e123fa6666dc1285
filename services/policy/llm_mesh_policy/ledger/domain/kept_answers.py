"""Answers that are kept to be repeated: those to requests with an idempotency key, in projects that ask for it.

An answer is kept after its charge, and apart from it: whatever becomes of the answer, the charge stands. A repetition is decided on like
any other request, by the caller's present rights, before its answer is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple, Protocol

from llm_mesh.policy.v1 import admission_pb2, errors_pb2, floors_pb2, identity_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.ledger.domain.ports import Settled
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.resources import domain_of

_COMPLETED = usage_pb2.ATTEMPT_OUTCOME_COMPLETED
_LONGEST_TYPE = 128
_DIGEST_BYTES = 32
_LONGEST_REQUEST_ID = 256
_RESERVATIONS = "/reservations/"


class Place(NamedTuple):
    """Where an answer is kept: every row and every proof has all three."""

    domain: str
    project: str
    key: str
    """The idempotency key."""


class KeepOutcome(Enum):
    """What became of an answer that was handed over."""

    STORED = "stored"
    NO_ROOM = "no_room"
    """The project's answers take as much as they may."""
    TOO_LARGE = "too_large"
    UNKNOWN = "unknown"
    """The idempotency key does not belong to the reservation."""


class Repeated(NamedTuple):
    """A kept answer, with the ledger entry of the request that it answered."""

    entry: usage_pb2.LedgerEntry
    answer: policy_pb2.KeptAnswer


class AnswerStore(Protocol):
    """Where answers are kept, encrypted."""

    async def keep(self, place: Place, reservation: str, answer: policy_pb2.KeptAnswer) -> KeepOutcome:
        """Keeps the answer of a reservation. Keeping it again does nothing."""

    async def find(self, place: Place, digest: bytes, caller: admission_pb2.Caller, request_id: str) -> Repeated | None:
        """The answer to the request with a digest, and an audit row that the caller gets it. None: there is none."""


class KeptAnswerTenancy(Protocol):
    """Domains, projects and floors."""

    @property
    def domains(self) -> Mapping[str, identity_pb2.Domain]:
        """By name."""

    @property
    def projects(self) -> Mapping[str, identity_pb2.Project]:
        """By name."""

    def floor_of(self, domain: str) -> floors_pb2.Floor | None:
        """What the platform sets about a domain."""


def keeps_answers(tenancy: KeptAnswerTenancy, project: str) -> bool:
    """Whether the project asks for it, and nothing demands that no content is kept."""
    present = tenancy.projects.get(project)
    if present is None or not present.keep_answers:
        return False
    name = domain_of(project)
    domain, floor = tenancy.domains.get(name), tenancy.floor_of(name)
    return not ((domain is not None and domain.zero_retention) or (floor is not None and floor.zero_retention))


class KeptAnswers:
    """Keeps answers, and gives them to those who repeat their requests."""

    def __init__(
        self,
        store: AnswerStore,
        tenancy: Callable[[], KeptAnswerTenancy],
        seals: sealed.Opener,
        *,
        most_bytes: int,
        counted: Callable[[KeepOutcome], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._tenancy = tenancy
        self._seals = seals
        self._most_bytes = most_bytes
        self._counted = counted

    def limit(self, project: str, idempotency_key: str) -> int:
        """Most bytes of an answer that is kept. 0: none is."""
        return self._most_bytes if idempotency_key and keeps_answers(self._tenancy(), project) else 0

    async def keep(self, request: policy_pb2.SettleRequest, settled: Settled) -> None:
        """Keeps the answer that came along with a settlement. The settlement stands, whatever becomes of the answer."""
        answer, key, entry = request.answer, request.idempotency_key, settled.entry
        project, _, reservation = entry.name.partition(_RESERVATIONS)
        if not self.limit(project, key) or not _is_whole(entry):
            return
        outcome = KeepOutcome.TOO_LARGE
        if len(answer.content) <= self._most_bytes:
            try:
                outcome = await self._store.keep(Place(domain_of(project), project, key), reservation, answer)
            except MeshError as error:  # the charge is committed: the answer alone is lost
                get_logger().warning("an answer is not kept", reservation=entry.name, reason=error.reason_name)
                return
        self._counted(outcome)
        if outcome is not KeepOutcome.STORED:
            get_logger().info("an answer is not kept", reservation=entry.name, reason=outcome.value)

    async def of(self, request: policy_pb2.GetKeptAnswerRequest) -> Repeated:
        """The kept answer of an earlier request, for an admission that stands now."""
        caller = sealed.admission_in(request.admission, self._seals).caller
        key, digest = request.idempotency_key, request.request_digest
        if not key:
            raise invalid("idempotency_key", "required")
        if len(digest) != _DIGEST_BYTES:
            raise invalid("request_digest", f"{_DIGEST_BYTES} bytes, the SHA-256 of the request")
        if not keeps_answers(self._tenancy(), caller.project):
            raise not_kept()
        if len(request.request_id) > _LONGEST_REQUEST_ID:
            raise invalid("request_id", f"at most {_LONGEST_REQUEST_ID} characters")
        repeated = await self._store.find(Place(caller.domain, caller.project, key), digest, caller, request.request_id)
        if repeated is None:
            raise not_kept()
        return repeated


def check_answer(request: policy_pb2.SettleRequest) -> None:
    """What has to be right about an answer before its request is charged."""
    if not 0 < len(request.answer.type.encode()) <= _LONGEST_TYPE:
        raise invalid("answer.type", f"1 to {_LONGEST_TYPE} bytes")
    if not request.idempotency_key:
        raise invalid("idempotency_key", "required with an answer")


def _is_whole(entry: usage_pb2.LedgerEntry) -> bool:
    """Whether the last attempt gave its answer to the end."""
    lines = entry.lines
    return len(lines) > 0 and lines[-1].usage.outcome == _COMPLETED


def key_reused() -> PolicyError:
    """The idempotency key stands for another request."""
    return PolicyError(
        errors_pb2.ERROR_REASON_IDEMPOTENCY_KEY_REUSED,
        "the idempotency key was used with another request",
        field="options.idempotency_key",
    )


def not_kept() -> PolicyError:
    """There is no answer to repeat."""
    return PolicyError(errors_pb2.ERROR_REASON_ANSWER_NOT_KEPT, "no answer is kept for this idempotency key")
