"""vLLM's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from smg_grpc_proto import vllm_engine_pb2 as messages

from llm_mesh_adapter_engine.provider.wire.shared import EMBED, GENERATE, SharedWire
from llm_mesh_adapter_engine.provider.wire.values import CHOICE, JSON_OBJECT, Constraint, Sampling

_OPTIONAL = ("temperature", "max_tokens", "seed", "logprobs")
_PLAIN = ("top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "min_tokens")


class VllmWire(SharedWire):
    """Implements `Wire`."""

    lacks: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__(messages, "vllm.grpc.engine.VllmEngine")

    def generate(self, request_id: str, tokens: Sequence[int], sampling: Sampling, *, stream: bool) -> bytes:
        """See `Wire`."""
        params = messages.SamplingParams(
            stop=sampling.stop,
            stop_token_ids=sampling.stop_token_ids,
            skip_special_tokens=True,
            ignore_eos=sampling.ignore_eos,
            n=sampling.candidates,
            logit_bias=dict(sampling.logit_bias),
        )
        for name in (*_OPTIONAL, *_PLAIN):
            value = getattr(sampling, name)
            if value is not None and (value or name in _OPTIONAL):
                setattr(params, name, value)
        if sampling.constraint is not None:
            _constrain(params, sampling.constraint)
        request = messages.GenerateRequest(
            request_id=request_id, tokenized=messages.TokenizedInput(input_ids=tokens), sampling_params=params, stream=stream
        )
        return bytes(request.SerializeToString())

    def embed(self, request_id: str, tokens: Sequence[int]) -> bytes:
        """See `Wire`."""
        request = messages.EmbedRequest(request_id=request_id, tokenized=messages.TokenizedInput(input_ids=tokens))
        return bytes(request.SerializeToString())

    def abandoned(self, method: str, message: bytes) -> bytes | None:
        """See `Wire`."""
        kind = {GENERATE: messages.GenerateRequest, EMBED: messages.EmbedRequest}.get(method)
        if kind is None:
            return None
        try:
            identifier = kind.FromString(message).request_id
        except DecodeError:
            return None
        return bytes(messages.AbortRequest(request_ids=[identifier]).SerializeToString())


def _constrain(params: Any, constraint: Constraint) -> None:  # noqa: ANN401 (a message of the stubs)
    if constraint.kind == CHOICE:
        params.choice.choices.extend(constraint.choices)
    elif constraint.kind == JSON_OBJECT:
        params.json_object = True
    else:
        setattr(params, constraint.kind, constraint.value)
