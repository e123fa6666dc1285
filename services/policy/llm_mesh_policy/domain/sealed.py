"""What comes back to policy under its own seal: callers and admissions. Nothing else says who asks and within which bounds."""

from typing import Protocol

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, errors_pb2
from llm_mesh_policy.domain.errors import PolicyError

AUDIENCE = "policy"
CALLER: str = admission_pb2.Caller.DESCRIPTOR.full_name
ADMISSION: str = admission_pb2.Admission.DESCRIPTOR.full_name
GRANT: str = admission_pb2.Grant.DESCRIPTOR.full_name


class Sealer(Protocol):
    """Makes proofs."""

    def seal(self, audience: str, kind: str, payload: bytes) -> bytes:
        """The proof for an audience that the payload is of a type."""


class Opener(Protocol):
    """Checks proofs."""

    def opened(self, audience: str, kind: str, sealed: resources_pb2.Sealed, *, what: str = ...) -> bytes:
        """The payload of a message with a valid proof; INVALID_SEAL for others."""


def put(empty: resources_pb2.Sealed, kind: str, payload: bytes, seals: Sealer, *audiences: str) -> None:
    """Writes the payload and a proof per audience to where they are sent from."""
    empty.payload = payload
    proofs = empty.seals
    for audience in audiences:
        proofs.add(audience=audience, mac=seals.seal(audience, kind, payload))


def caller_in(sealed: resources_pb2.Sealed, seals: Opener) -> admission_pb2.Caller:
    """The caller that `Authorize` sealed. Whether it has expired, the reader decides by its own clock."""
    return admission_pb2.Caller.FromString(seals.opened(AUDIENCE, CALLER, sealed, what="caller"))


def admission_in(sealed: resources_pb2.Sealed, seals: Opener) -> admission_pb2.Admission:
    """The admission that `Admit` sealed."""
    return admission_pb2.Admission.FromString(seals.opened(AUDIENCE, ADMISSION, sealed, what="admission"))


def expired(what: str) -> PolicyError:
    """It was valid once."""
    return PolicyError(errors_pb2.ERROR_REASON_ADMISSION_EXPIRED, f"the {what} has expired")
