"""Callers as `Authorize` sealed them. It gives the same one out for some seconds, whose proof need not be checked each time."""

from typing import NamedTuple

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_policy.domain import sealed as seals
from llm_mesh_policy.domain.instants import micros_of

_MOST = 2048
"""A caller is sealed anew every few seconds: the old ones are let go of."""


class Known(NamedTuple):
    """A caller whose proof is valid, when it expires, and the bytes that it came in, by which it is told from all others."""

    caller: admission_pb2.Caller
    expires: int
    raw: bytes
    project: str


class Callers:
    """Opens sealed callers. What was valid once is valid as the same bytes again; whether it has expired is asked each time."""

    def __init__(self, opener: seals.Opener) -> None:
        self._opener = opener
        self._known: dict[bytes, Known] = {}

    def opened(self, sealed: resources_pb2.Sealed) -> Known:
        """The caller, which must not be changed; INVALID_SEAL without a valid proof."""
        raw = sealed.SerializeToString()
        known = self._known.get(raw)
        if known is None:
            caller = seals.caller_in(sealed, self._opener)
            known = Known(caller, micros_of(caller.expire_time), raw, caller.project)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[raw] = known
        return known
