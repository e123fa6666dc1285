"""What the other mesh is asked: the same payload, within the bounds of the grant, and the options that travel.

Of a caller's options the tags stay here, since they name what this mesh accounts under, and so does the prompt, which is rendered already.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_adapter_kit.grants import Job

GENERATIONS: Final = frozenset({"Generate", "GenerateStream"})


@dataclass(frozen=True, slots=True)
class Sender:
    """This mesh, as the other one sees it."""

    mesh_id: str

    def question(self, rpc: str, job: Job, request: Any) -> Any:  # noqa: ANN401 (messages of the method)
        """The request of the gateway's method of the same name."""
        question = getattr(gateway_pb2, f"{rpc}Request")()
        question.input.CopyFrom(request.input)
        question.input.model = job.model
        if rpc in GENERATIONS:
            question.input.max_output_tokens = job.ask(request.input.max_output_tokens, stream=False).max_output_tokens
        bounds = admission_pb2.RequestBounds()
        bounds.CopyFrom(job.grant.bounds)
        bounds.zero_retention = job.zero_retention
        exact = getattr(request, "exact", False)
        question.options.CopyFrom(self._options(job, request.context, bounds, exact=exact))
        return question

    def count(self, request: adapter_pb2.CountTokensRequest) -> gateway_pb2.CountTokensRequest:
        """The same for a count, which has no grant."""
        question = gateway_pb2.CountTokensRequest(input=request.input)
        question.input.model = request.attempt.upstream_model
        question.options.hops.extend((*request.context.hops, self.mesh_id))
        question.options.bounds.CopyFrom(request.bounds)
        return question

    def _options(
        self, job: Job, context: adapter_pb2.RequestContext, bounds: admission_pb2.RequestBounds, *, exact: bool
    ) -> gateway_pb2.RequestOptions:
        options = gateway_pb2.RequestOptions(hops=(*context.hops, self.mesh_id), bounds=bounds)
        if exact:
            options.fidelity = gateway_pb2.FIDELITY_EXACT
        project = job.grant.project
        if context.idempotency_key:
            options.idempotency_key = self._digest("idempotency key", project, job.model, context.idempotency_key)
        if context.session:
            options.session = self._digest("session", project, context.session)
        return options

    def _digest(self, *parts: str) -> str:
        """The other mesh sees one project for all of ours: what one of them chooses must not meet what another one chooses."""
        digest = hashlib.sha256()
        for part in (self.mesh_id, *parts):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(4, "big") + raw)
        return digest.hexdigest()
