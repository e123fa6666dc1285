"""Delegations: services use models later in the name of a caller who has left, for as long as the caller's key counts.

Nothing is stored here: a delegation is sealed, and stays with the service that it is for. It says which key, project and service; whether
the key counts and what its principal may do is asked anew each time.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, audit_pb2, errors_pb2, policy_pb2
from llm_mesh_policy.domain import sealed as seals
from llm_mesh_policy.domain.errors import PolicyError, invalid_credential
from llm_mesh_policy.domain.instants import micros_of, put_micros
from llm_mesh_runtime.errors import MeshError, invalid, invalid_seal

if TYPE_CHECKING:
    from llm_mesh_policy.domain.keys import StoredKey
    from llm_mesh_policy.identity.ports import ChangeLog
    from llm_mesh_policy.rules.ports import Live, Snapshot
    from llm_mesh_runtime.seals import Seals

PREFIX: Final = "md_"
"""How a credential begins that a delegation was redeemed for."""
_DELEGATION: str = admission_pb2.Delegation.DESCRIPTOR.full_name
_CREDENTIAL: str = admission_pb2.DelegatedCredential.DESCRIPTOR.full_name
_SECOND = 1_000_000
_LONGEST = 48 * 3600 * _SECOND
_CREDENTIAL_LASTS = 60 * _SECOND


class Delegations:
    """Makes delegations, and credentials of them."""

    def __init__(self, live: Live, keys: Seals, log: ChangeLog) -> None:
        self._live = live
        self._seals = keys
        self._log = log

    async def create(self, service: str, request: policy_pb2.CreateDelegationRequest, request_id: str) -> resources_pb2.Sealed:
        """A delegation of the caller to the service. Answers once the audit trail has it."""
        caller = seals.caller_in(request.caller, self._seals)
        now = self._live.now()
        if micros_of(caller.expire_time) <= now:
            raise invalid_seal("caller")
        if not caller.project:
            reason = errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED
            raise PolicyError(reason, "the caller's credential spans projects, and none was selected", field="caller")
        until = micros_of(request.expire_time)
        if not now < until <= now + _LONGEST:
            raise invalid("expire_time", "must be within 48 hours from now")
        live_key(self._live.snapshot(), caller.key, caller.principal, now)
        delegation = admission_pb2.Delegation(
            service=service,
            principal=caller.principal,
            domain=caller.domain,
            project=caller.project,
            key=caller.key,
            purpose=request.purpose,
            expire_time=request.expire_time,
        )
        change = audit_pb2.ChangeRecord(
            event_id=secrets.token_hex(16),
            domain=caller.domain,
            principal=caller.principal,
            key=caller.key,
            action="delegations.create",
            resource=f"{caller.project}/{request.purpose}",
            request_id=request_id,
            detail=f"to {service}",
        )
        change.time.FromMicroseconds(now)
        await self._log.record(service, [change])
        return self._seals.sealed(_DELEGATION, delegation.SerializeToString(), seals.AUDIENCE)

    async def redeem(self, service: str, sealed: resources_pb2.Sealed) -> policy_pb2.RedeemDelegationResponse:
        """A credential for the service that the delegation is for, while its key counts."""
        payload = self._seals.opened(seals.AUDIENCE, _DELEGATION, sealed, what="delegation")
        delegation = admission_pb2.Delegation.FromString(payload)
        now = self._live.now()
        ends = micros_of(delegation.expire_time)
        if delegation.service != service or ends <= now:
            raise invalid_seal("delegation")
        live_key(self._live.snapshot(), delegation.key, delegation.principal, now)
        credential = admission_pb2.DelegatedCredential(delegation=delegation)
        put_micros(credential.expire_time, min(ends, now + _CREDENTIAL_LASTS))
        proof = self._seals.sealed(_CREDENTIAL, credential.SerializeToString(), seals.AUDIENCE).SerializeToString()
        text = PREFIX + base64.urlsafe_b64encode(proof).decode()
        return policy_pb2.RedeemDelegationResponse(credential=text, expire_time=credential.expire_time)


def opened(text: str, keys: Seals, now: int) -> admission_pb2.DelegatedCredential:
    """What a delegated credential says. INVALID_CREDENTIAL where its proof is not valid, or it has expired."""
    try:
        sealed = resources_pb2.Sealed.FromString(base64.b64decode(text.removeprefix(PREFIX), altchars=b"-_", validate=True))
        credential = admission_pb2.DelegatedCredential.FromString(keys.opened(seals.AUDIENCE, _CREDENTIAL, sealed))
    except (binascii.Error, DecodeError, MeshError, ValueError):
        raise invalid_credential() from None
    if micros_of(credential.expire_time) <= now:
        raise invalid_credential()
    return credential


def live_key(snapshot: Snapshot, name: str, principal: str, now: int) -> StoredKey:
    """The key of that name, while it counts and is the principal's; INVALID_CREDENTIAL otherwise."""
    key = snapshot.keys.get(name.rpartition("/")[2])
    owner = snapshot.principals.get(principal)
    counts = key is not None and key.name == name and key.principal == principal and key.live(now)
    if key is None or not counts or owner is None or owner.disabled:
        raise invalid_credential()
    return key
