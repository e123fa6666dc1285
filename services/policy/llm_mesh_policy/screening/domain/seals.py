"""Seals of screening: the admission of a stream, and by what rules it is screened. Only screening reads the state that it seals."""

from __future__ import annotations

from typing import Protocol

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_runtime.errors import invalid_seal

SCREEN_STATE = "llm_mesh.policy.v1.ScreenState"
"""JSON, which screening alone reads: no message of the contract has this name."""
_AUDIENCE = "policy"
_ADMISSION: str = admission_pb2.Admission.DESCRIPTOR.full_name


class ScreeningSeals(Protocol):
    """Makes and checks proofs."""

    def seal(self, audience: str, kind: str, payload: bytes) -> bytes:
        """The proof for an audience that the payload is of a type."""

    def opened(self, audience: str, kind: str, sealed: resources_pb2.Sealed, *, what: str = ...) -> bytes:
        """The payload of a message with a valid proof; INVALID_SEAL for others."""


def sealed_state(payload: bytes, seals: ScreeningSeals) -> bytes:
    """The state of a stream, which its gateway brings back as it is."""
    state = resources_pb2.Sealed(payload=payload)
    state.seals.add(audience=_AUDIENCE, mac=seals.seal(_AUDIENCE, SCREEN_STATE, payload))
    return state.SerializeToString()


def opened_state(state: bytes, seals: ScreeningSeals) -> bytes:
    """The state again; INVALID_SEAL where it was not made here."""
    try:
        sealed = resources_pb2.Sealed.FromString(state)
    except ValueError as error:
        raise invalid_seal("screen state") from error
    return seals.opened(_AUDIENCE, SCREEN_STATE, sealed, what="screen state")


def opened_admission(sealed: resources_pb2.Sealed, seals: ScreeningSeals) -> admission_pb2.Admission:
    """The admission that `Admit` sealed."""
    return admission_pb2.Admission.FromString(seals.opened(_AUDIENCE, _ADMISSION, sealed, what="admission"))
