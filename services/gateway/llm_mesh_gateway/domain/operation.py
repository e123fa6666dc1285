"""What the gateway can be asked to do, as the steps see it: how it is admitted, profiled and sent to an adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain import checks
from llm_mesh_gateway.domain.errors import fidelity_lost
from llm_mesh_gateway.domain.ports import Adapters, AttemptCall
from llm_mesh_gateway.domain.profile import profile_embedding, profile_generation
from llm_mesh_runtime.validation import check_message


class Operation(Protocol):
    """One thing to do with an input."""

    @property
    def streamed(self) -> bool:
        """Whether the answer comes as a stream."""

    @property
    def candidate_count(self) -> int:
        """How many answers. 0: one."""

    def digest(self, options: gateway_pb2.RequestOptions) -> bytes:
        """SHA-256 of the request as it came, to tell a repetition from another request under the same key."""

    def check(self, *, has_prompt: bool) -> None:
        """Raises where the input is not of its documented form."""

    def precede(self, messages: list[content_pb2.Message]) -> None:
        """Put a rendered prompt before the input. Raises where both together break a rule."""

    def ask_admission(self, request: policy_pb2.AdmitRequest) -> None:
        """Set the request's input."""

    def mask(self, admitted: policy_pb2.AdmitResponse) -> None:
        """Take over what screening masked."""

    def profile(self, profile: router_pb2.RequestProfile, session: str) -> None:
        """Write what the router may know."""

    def without_logprobs(self, why: str) -> Sequence[generate_pb2.Translation]:
        """Ask for no log-probabilities, which spell the text out. Answers what is left out. FIDELITY_LOST where nothing may be."""

    def dispatch(self, adapters: Adapters, attempt: plan_pb2.Attempt, grant: resources_pb2.Sealed) -> AttemptCall:
        """Call the adapter of an attempt."""


def exact(options: gateway_pb2.RequestOptions | None) -> bool:
    """Whether a translation may lose nothing."""
    return options is not None and options.fidelity == gateway_pb2.FIDELITY_EXACT


@dataclass(slots=True)
class Generation:
    """Asks a model, streamed or not."""

    input: generate_pb2.GenerateInput
    streamed: bool
    exact: bool

    @property
    def candidate_count(self) -> int:
        """How many answers."""
        return self.input.candidate_count

    def digest(self, options: gateway_pb2.RequestOptions) -> bytes:
        """Whether the answer is streamed is part of the request."""
        return digest_of(b"stream" if self.streamed else b"generate", self.input, options)

    def check(self, *, has_prompt: bool) -> None:
        """See `checks`."""
        checks.check_generation(self.input, has_prompt=has_prompt)

    def precede(self, messages: list[content_pb2.Message]) -> None:
        """The prompt's messages come first."""
        own = list(self.input.messages)
        rendered = generate_pb2.GenerateInput()
        rendered.CopyFrom(self.input)
        rendered.ClearField("messages")
        rendered.messages.extend(messages)
        rendered.messages.extend(own)
        check_message(rendered, "input")
        self.input = rendered

    def ask_admission(self, request: policy_pb2.AdmitRequest) -> None:
        """Policy sees what the model will see."""
        request.generate.CopyFrom(self.input)

    def mask(self, admitted: policy_pb2.AdmitResponse) -> None:
        """What was masked is what goes on."""
        if admitted.WhichOneof("masked") == "generate":
            self.input = admitted.generate

    def profile(self, profile: router_pb2.RequestProfile, session: str) -> None:
        """See `profile`."""
        profile_generation(profile, self.input, session=session, exact=self.exact, streamed=self.streamed)

    def without_logprobs(self, why: str) -> Sequence[generate_pb2.Translation]:
        """See the protocol."""
        if not self.input.HasField("logprobs"):
            return ()
        if self.exact:
            raise fidelity_lost("logprobs", why)
        self.input.ClearField("logprobs")
        dropped = generate_pb2.TRANSLATION_ACTION_DROPPED
        return [generate_pb2.Translation(field="logprobs", action=dropped, note=why)]

    def dispatch(self, adapters: Adapters, attempt: plan_pb2.Attempt, grant: resources_pb2.Sealed) -> AttemptCall:
        """Call the adapter."""
        if self.streamed:
            stream = adapter_pb2.GenerateStreamRequest()
            self._fill(stream, attempt, grant)
            return adapters.stream(attempt.adapter, stream)
        whole = adapter_pb2.GenerateRequest()
        self._fill(whole, attempt, grant)
        return adapters.generate(attempt.adapter, whole)

    def _fill(
        self,
        request: adapter_pb2.GenerateRequest | adapter_pb2.GenerateStreamRequest,
        attempt: plan_pb2.Attempt,
        grant: resources_pb2.Sealed,
    ) -> None:
        request.grant.CopyFrom(grant)
        request.attempt.CopyFrom(attempt)
        request.input.CopyFrom(self.input)
        if self.exact:
            request.exact = True


@dataclass(slots=True)
class Embedding:
    """Embeds texts."""

    input: embed_pb2.EmbedInput
    exact: bool

    @property
    def streamed(self) -> bool:
        """Vectors come whole."""
        return False

    @property
    def candidate_count(self) -> int:
        """Embeddings have no choices."""
        return 0

    def digest(self, options: gateway_pb2.RequestOptions) -> bytes:
        """See the protocol."""
        return digest_of(b"embed", self.input, options)

    def check(self, *, has_prompt: bool) -> None:
        """See `checks`."""
        checks.check_embedding(has_prompt=has_prompt)

    def precede(self, messages: list[content_pb2.Message]) -> None:
        """Embeddings have no prompt, which `check` has seen to."""

    def ask_admission(self, request: policy_pb2.AdmitRequest) -> None:
        """Policy sees what the model will see."""
        request.embed.CopyFrom(self.input)

    def mask(self, admitted: policy_pb2.AdmitResponse) -> None:
        """What was masked is what goes on."""
        if admitted.WhichOneof("masked") == "embed":
            self.input = admitted.embed

    def profile(self, profile: router_pb2.RequestProfile, session: str) -> None:
        """See `profile`."""
        profile_embedding(profile, self.input, session=session, exact=self.exact)

    def without_logprobs(self, why: str) -> Sequence[generate_pb2.Translation]:
        """Vectors have none."""
        del why
        return ()

    def dispatch(self, adapters: Adapters, attempt: plan_pb2.Attempt, grant: resources_pb2.Sealed) -> AttemptCall:
        """Call the adapter."""
        return adapters.embed(attempt.adapter, adapter_pb2.EmbedStreamRequest(grant=grant, attempt=attempt, input=self.input))


def digest_of(kind: bytes, message: Message, options: gateway_pb2.RequestOptions) -> bytes:
    """SHA-256 of what is asked, without the key under which it is asked, and the way that it came."""
    counted = gateway_pb2.RequestOptions()
    counted.CopyFrom(options)
    counted.ClearField("idempotency_key")
    counted.ClearField("hops")
    digest = hashlib.sha256(kind)
    for part in (message, counted):
        raw = part.SerializeToString(deterministic=True)
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()
