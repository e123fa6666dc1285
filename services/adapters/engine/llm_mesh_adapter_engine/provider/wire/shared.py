"""What the messages of vLLM and SGLang have in common: most of their fields have the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError, Message

from llm_mesh_adapter_engine.provider.wire.values import AnswerPiece, Load, ModelFacts, TokenChance

GENERATE = "Generate"
EMBED = "Embed"


class SharedWire:
    """Reads answers by the stubs of one engine."""

    def __init__(self, messages: Any, service: str) -> None:  # noqa: ANN401 (a module of stubs)
        self._messages = messages
        self.service = service

    def piece(self, data: bytes) -> AnswerPiece:
        """See `Wire`."""
        answer = self._read("GenerateResponse", data)
        if answer.HasField("chunk"):
            return _piece(answer.chunk, answer.chunk.token_ids)
        if not answer.HasField("complete"):
            raise ValueError("a message that neither continues nor completes the answer")
        complete = answer.complete
        return _piece(complete, complete.output_ids)._replace(finish=complete.finish_reason or "stop", stop=complete.matched_stop_str)

    def vector(self, data: bytes) -> tuple[Sequence[float], int]:
        """See `Wire`."""
        answer = self._read("EmbedResponse", data)
        return answer.embedding, answer.prompt_tokens

    def facts(self, data: bytes) -> ModelFacts:
        """See `Wire`."""
        info = self._read("GetModelInfoResponse", data)
        names = frozenset(filter(None, (info.served_model_name, info.model_path)))
        return ModelFacts(
            names, info.served_model_name or info.model_path, info.max_context_length, info.is_generation, info.max_req_input_len
        )

    def healthy(self, data: bytes) -> str:
        """See `Wire`."""
        answer = self._read("HealthCheckResponse", data)
        return "" if answer.healthy else answer.message or "it says that it is not healthy"

    def load(self, data: bytes) -> Load:
        """See `Wire`."""
        ranks = self._read("GetLoadsResponse", data).loads
        count = max(1, len(ranks))
        return Load(
            running_requests=sum(each.num_running_reqs for each in ranks),
            waiting_requests=sum(each.num_waiting_reqs for each in ranks),
            waiting_tokens=sum(each.num_waiting_uncached_tokens for each in ranks),
            used_tokens=sum(each.num_used_tokens for each in ranks),
            max_tokens=sum(each.max_total_num_tokens for each in ranks),
            cache_usage=sum(each.token_usage for each in ranks) / count,
            tokens_per_second=sum(each.gen_throughput for each in ranks),
            cache_hit_rate=sum(each.cache_hit_rate for each in ranks) / count,
            max_running_requests=sum(each.max_running_requests for each in ranks),
        )

    def _read(self, name: str, data: bytes) -> Any:  # noqa: ANN401 (a message of the stubs)
        message: Message = getattr(self._messages, name)()
        try:
            message.ParseFromString(data)
        except DecodeError:
            raise ValueError(f"bytes that are no {name}") from None
        return message


def _piece(part: Any, tokens: Sequence[int]) -> AnswerPiece:  # noqa: ANN401 (a message of the stubs)
    chances = part.output_logprobs
    tops = chances.top_logprobs
    return AnswerPiece(
        choice=part.index,
        tokens=list(tokens),
        chances=[
            TokenChance(token, logprob, list(zip(tops[place].token_ids, tops[place].values, strict=False)) if place < len(tops) else ())
            for place, (token, logprob) in enumerate(zip(chances.token_ids, chances.token_logprobs, strict=False))
        ],
        prompt_tokens=part.prompt_tokens,
        completion_tokens=part.completion_tokens,
        cached_tokens=part.cached_tokens,
        reasoning_tokens=getattr(part, "reasoning_tokens", 0),
    )
