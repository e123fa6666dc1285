"""SGLang's messages. Its numbers have no defaults on the wire: a 0 is a 0, so each of them is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from smg_grpc_proto import sglang_scheduler_pb2 as messages

from llm_mesh_adapter_engine.provider.wire.shared import EMBED, GENERATE, SharedWire
from llm_mesh_adapter_engine.provider.wire.values import CHOICE, GRAMMAR, JSON_OBJECT, Constraint, Sampling

_ANY_OBJECT = '{"type": "object"}'
_ALL = -1
_WHY = "the request is read no more"


class SglangWire(SharedWire):
    """Implements `Wire`."""

    lacks: frozenset[str] = frozenset({"seed"})

    def __init__(self) -> None:
        super().__init__(messages, "sglang.grpc.scheduler.SglangScheduler")

    def generate(self, request_id: str, tokens: Sequence[int], sampling: Sampling, *, stream: bool) -> bytes:
        """See `Wire`."""
        params = messages.SamplingParams(
            temperature=_or(sampling.temperature, 1.0),
            top_p=_or(sampling.top_p, 1.0),
            top_k=sampling.top_k or _ALL,
            min_p=_or(sampling.min_p, 0.0),
            frequency_penalty=_or(sampling.frequency_penalty, 0.0),
            presence_penalty=_or(sampling.presence_penalty, 0.0),
            repetition_penalty=_or(sampling.repetition_penalty, 1.0),
            max_new_tokens=sampling.max_tokens,
            min_new_tokens=sampling.min_tokens or 0,
            stop=sampling.stop,
            stop_token_ids=sampling.stop_token_ids,
            skip_special_tokens=True,
            spaces_between_special_tokens=True,
            ignore_eos=sampling.ignore_eos,
            n=sampling.candidates,
            logit_bias={str(token): bias for token, bias in sampling.logit_bias.items()},
        )
        if sampling.constraint is not None:
            _constrain(params, sampling.constraint)
        request = messages.GenerateRequest(
            request_id=request_id,
            tokenized=messages.TokenizedInput(input_ids=tokens),
            sampling_params=params,
            return_logprob=sampling.logprobs is not None,
            logprob_start_len=-1,
            top_logprobs_num=sampling.logprobs or 0,
            stream=stream,
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
        return bytes(messages.AbortRequest(request_id=identifier, reason=_WHY).SerializeToString())


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _constrain(params: Any, constraint: Constraint) -> None:  # noqa: ANN401 (a message of the stubs)
    if constraint.kind == CHOICE:
        params.regex = "|".join(f"({re.escape(choice)})" for choice in constraint.choices)
    elif constraint.kind == JSON_OBJECT:
        params.json_schema = _ANY_OBJECT
    elif constraint.kind == GRAMMAR:
        params.ebnf_grammar = constraint.value
    else:
        setattr(params, constraint.kind, constraint.value)
