"""Admission's share of `PolicyService`: unpack, one call of the domain, pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import policy_pb2
    from llm_mesh_policy.admission.domain.admitting import Admitting
    from llm_mesh_policy.servicer.answers import Answer, Context


class AdmitServicer:
    """`Admit`."""

    def __init__(self, admitting: Admitting) -> None:
        self._admitting = admitting

    def Admit(self, request: policy_pb2.AdmitRequest, context: Context) -> Answer[policy_pb2.AdmitResponse]:
        return self._admitting.admit(request)
