"""`Authorize`: whose credential it is, and whether it may. On the way of every request, so everything is in memory."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import admission_pb2, errors_pb2, identity_pb2, policy_pb2
from llm_mesh.services import MESH_ACTIONS
from llm_mesh_policy.domain.errors import PolicyError, action_denied, invalid_credential
from llm_mesh_policy.domain.instants import micros_of
from llm_mesh_policy.domain.model_uses import MODEL_USES
from llm_mesh_policy.domain.sealed import AUDIENCE, CALLER
from llm_mesh_policy.identity.domain import delegations
from llm_mesh_policy.identity.domain.credentials import BOOTSTRAP_PREFIX, Credential, Pepper, parse, token_digest
from llm_mesh_policy.rules.ports import SELF, Allowances, absolute, within_credential
from llm_mesh_runtime.errors import invalid

if TYPE_CHECKING:
    from llm_mesh_policy.domain.keys import StoredKey
    from llm_mesh_policy.rules.ports import Live, Snapshot
    from llm_mesh_runtime.seals import Seals

BOOTSTRAP_ACTION = "platform.bootstrap"
BOOTSTRAP_KEY = "bootstrap/"
"""What stands for a key's name in the caller that a bootstrap token makes; the token's digest follows."""

_SECOND = 1_000_000
_CACHED = 1 * _SECOND
_SEALED = 60 * _SECOND
_REUSED = 10 * _SECOND
_MOST_VOUCHED = 8192
_LONGEST = 1024
_LONGEST_SHOWN = 256
_NO_DIGEST = bytes(32)
_MODELS = "models/"
_MODEL_USES = frozenset(MODEL_USES)


class Authorizer:
    """Answers for credentials."""

    def __init__(self, live: Live, pepper: Pepper, seals: Seals, bootstrap_token: str = "", allowances: Allowances | None = None) -> None:
        self._live = live
        self._pepper = pepper
        self._seals = seals
        self._bootstrap = token_digest(bootstrap_token) if bootstrap_token else b""
        self._allowances = allowances or Allowances()
        self._vouched: dict[tuple[str, str], tuple[Snapshot, int, policy_pb2.AuthorizeResponse]] = {}

    async def authorize(self, request: policy_pb2.AuthorizeRequest) -> policy_pb2.AuthorizeResponse:
        """The caller where the credential may. INVALID_CREDENTIAL, PROJECT_NOT_SELECTED, ACTION_DENIED or MODEL_DENIED where not."""
        action, resource, selected = _question_of(request)
        shown, least = request.credential, request.minimum_revision
        if shown.startswith(BOOTSTRAP_PREFIX) or action == BOOTSTRAP_ACTION:
            return self._by_token(shown, action)
        snapshot = self._live.snapshot()
        if snapshot.revision < least:
            snapshot = await self._live.at_least(least)
        if shown.startswith(delegations.PREFIX):
            return self._by_delegation(snapshot, request, action, resource)
        credential = parse(shown)
        if credential is None:
            raise invalid_credential()
        if credential.public_id not in snapshot.keys:
            snapshot = await self._live.fresh()
        now = self._live.now()
        key, until = self._key(snapshot, credential, now)
        project = _project(key, selected)
        self._decide(snapshot, key, project, action, resource)
        return self._answer(snapshot, key, project, now, until)

    def _by_delegation(
        self, snapshot: Snapshot, request: policy_pb2.AuthorizeRequest, action: str, resource: str
    ) -> policy_pb2.AuthorizeResponse:
        """The caller that a service acts for: uses models in one project, as long as the key itself could."""
        now = self._live.now()
        credential = delegations.opened(request.credential, self._seals, now)
        delegation = credential.delegation
        key = delegations.live_key(snapshot, delegation.key, delegation.principal, now)
        project = _project(key, delegation.project)
        if request.project and within_credential(request.project, project, ()) is None:
            raise PolicyError(errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED, "the delegation is for another project", field="project")
        if resource != SELF and action not in _MODEL_USES:
            raise action_denied(action, resource[:_LONGEST_SHOWN])
        self._decide(snapshot, key, project, action, resource)
        until = min(key.expire_time or micros_of(credential.expire_time), micros_of(credential.expire_time))
        return self._answer(snapshot, key, project, now, until)

    def _key(self, snapshot: Snapshot, credential: Credential, now: int) -> tuple[StoredKey, int]:
        """The key that the credential is, and until when. Unknown ids take as long as wrong secrets."""
        key = snapshot.keys.get(credential.public_id)
        digest = self._pepper.digest(credential)
        present = _same(digest, key.digest if key else _NO_DIGEST)
        previous = _same(digest, (key.previous_digest if key else b"") or _NO_DIGEST)
        if key is None or not (present or previous) or not key.live(now):
            raise invalid_credential()
        until = key.expire_time
        if not present:
            if key.previous_expire_time <= now:
                raise invalid_credential()
            until = min(until or key.previous_expire_time, key.previous_expire_time)
        principal = snapshot.principals.get(key.principal)
        if principal is None or principal.disabled:
            raise invalid_credential()
        return key, until

    def _decide(self, snapshot: Snapshot, key: StoredKey, project: str, action: str, resource: str) -> None:
        if resource == SELF:
            return
        place = absolute(resource, project)
        if action in MESH_ACTIONS or not snapshot.rules.allows(key.principal, action, place):
            raise action_denied(action, resource[:_LONGEST_SHOWN])
        if action in _MODEL_USES and resource.startswith(_MODELS):
            self._allowances.check(snapshot, key.name, project, resource.removeprefix(_MODELS))

    def _answer(self, snapshot: Snapshot, key: StoredKey, project: str, now: int, until: int) -> policy_pb2.AuthorizeResponse:
        """The caller, sealed. The same answer serves again for some seconds, unless the secret ends before."""
        vouched = self._vouched.get((key.id, project))
        if vouched is not None and vouched[0] is snapshot and now < vouched[1] and not until:
            return vouched[2]
        caller = admission_pb2.Caller(
            principal=key.principal,
            domain=f"domains/{key.domain}",
            project=project,
            key=key.name,
            roles=snapshot.rules.roles_at(key.principal, project),
            revision=snapshot.revision,
        )
        caller.expire_time.FromMicroseconds(min(now + _SEALED, until or now + _SEALED))
        answer = self._sealed(caller, snapshot.revision, min(_CACHED, until - now) if until else _CACHED)
        if not until:
            if len(self._vouched) >= _MOST_VOUCHED:
                self._vouched.clear()
            self._vouched[key.id, project] = (snapshot, now + _REUSED, answer)
        return answer

    def _by_token(self, token: str, action: str) -> policy_pb2.AuthorizeResponse:
        """Lets the bootstrap token through to `Bootstrap` and nowhere else; whether it was used is decided there."""
        digest = token_digest(token)
        if action != BOOTSTRAP_ACTION:
            raise invalid_credential()
        if not _same(digest, self._bootstrap or _NO_DIGEST):
            raise invalid_token()
        caller = admission_pb2.Caller(key=BOOTSTRAP_KEY + digest.hex())
        caller.expire_time.FromMicroseconds(self._live.now() + _SEALED)
        return self._sealed(caller, self._live.snapshot().revision, 0)

    def _sealed(self, caller: admission_pb2.Caller, revision: int, valid: int) -> policy_pb2.AuthorizeResponse:
        sealed = self._seals.sealed(CALLER, caller.SerializeToString(), AUDIENCE)
        answer = policy_pb2.AuthorizeResponse(caller=caller, sealed_caller=sealed, revision=revision)
        answer.valid_for.FromMicroseconds(valid)
        return answer


def invalid_token() -> PolicyError:
    """The bootstrap token is wrong or used."""
    return PolicyError(errors_pb2.ERROR_REASON_INVALID_BOOTSTRAP_TOKEN, "the bootstrap token is not valid")


def _project(key: StoredKey, selected: str) -> str:
    if not selected:
        return key.project_name
    others = tuple(identity_pb2.Key.FromString(key.body).projects)
    project = within_credential(selected, key.project_name, others)
    if project is None:
        reason = errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED
        raise PolicyError(reason, "the selected project is not one of the credential's", field="project")
    return project


def _question_of(request: policy_pb2.AuthorizeRequest) -> tuple[str, str, str]:
    """The action, the resource, and the project that is selected."""
    action, resource, project = request.action, request.resource, request.project
    if not action or len(action) > _LONGEST:
        raise invalid("action", f"must be 1 to {_LONGEST} characters")
    if len(resource) > _LONGEST:
        raise invalid("resource", f"at most {_LONGEST} characters")
    if len(project) > _LONGEST:
        raise invalid("project", f"at most {_LONGEST} characters")
    return action, resource, project


def _same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)
