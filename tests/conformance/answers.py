"""An answer as a caller reads it, whole or streamed, in the same terms for every edge."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.conversions import Collector


@dataclass
class Told:
    """One answer. Lists have an entry for each choice."""

    texts: list[str] = field(default_factory=list)
    thought: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    """Tool and arguments, in order."""
    refusal: str = ""
    finish: list[str] = field(default_factory=list)
    logprobs: int = 0
    """Tokens that have one."""
    usage: dict[str, int] = field(default_factory=dict)
    """`input`, `output`, `cached`, `written`, `reasoning`, where they are said and not 0."""
    raw: Any = None
    """What of the whole answer goes back in the next turn."""


def told(edge: str, answer: Any, *, stream: bool) -> Told:
    """The answer of an edge."""
    return _READERS[edge][stream](answer)


def _openai(body: Mapping[str, Any]) -> Told:
    made = Told(usage=_openai_usage(body.get("usage")), raw=body["choices"][0]["message"] if body["choices"] else {})
    for choice in body["choices"]:
        message = choice["message"]
        made.texts.append(message.get("content") or "")
        made.thought += message.get("reasoning_content") or ""
        made.refusal += message.get("refusal") or ""
        made.calls += [(each["function"]["name"], _arguments(each["function"]["arguments"])) for each in message.get("tool_calls") or ()]
        made.finish.append(choice["finish_reason"])
        logprobs = choice.get("logprobs") or {}
        made.logprobs += len(logprobs.get("content") or logprobs.get("refusal") or ())
    return made


def _openai_stream(chunks: Iterable[Mapping[str, Any]]) -> Told:
    """As the whole body that the chunks add up to."""
    choices: dict[int, dict[str, Any]] = defaultdict(
        lambda: {"message": defaultdict(str), "finish_reason": None, "logprobs": {"content": []}}
    )
    calls: dict[tuple[int, int], dict[str, Any]] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for delta in chunk.get("choices") or ():
            choice, change = choices[delta["index"]], delta["delta"]
            for name in ("content", "reasoning_content", "refusal"):
                choice["message"][name] += change.get(name) or ""
            for call in change.get("tool_calls") or ():
                known = calls.setdefault((delta["index"], call["index"]), {"function": {"name": "", "arguments": ""}})
                known["function"]["name"] += call["function"].get("name") or ""
                known["function"]["arguments"] += call["function"].get("arguments") or ""
            choice["finish_reason"] = delta.get("finish_reason") or choice["finish_reason"]
            logprobs = delta.get("logprobs") or {}
            choice["logprobs"]["content"] += logprobs.get("content") or logprobs.get("refusal") or []
    for (index, _), call in sorted(calls.items()):
        choices[index]["message"] |= {"tool_calls": [*(choices[index]["message"].get("tool_calls") or []), call]}
    return _openai({"choices": [choices[index] for index in sorted(choices)], "usage": usage})


def _openai_usage(usage: Mapping[str, Any] | None) -> dict[str, int]:
    if not usage:
        return {}
    inner, outer = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    figures = {"input": usage["prompt_tokens"], "output": usage["completion_tokens"], "cached": inner.get("cached_tokens")}
    figures |= {"written": inner.get("cache_write_tokens"), "reasoning": outer.get("reasoning_tokens")}
    return {name: figure for name, figure in figures.items() if figure}


def _anthropic(body: Mapping[str, Any]) -> Told:
    made = Told(usage=_anthropic_usage(body.get("usage") or {}), raw=body["content"], finish=[body["stop_reason"]], texts=[""])
    for block in body["content"]:
        if block["type"] == "text":
            made.texts[0] += block["text"]
        elif block["type"] == "thinking":
            made.thought += block["thinking"]
        elif block["type"] == "tool_use":
            made.calls.append((block["name"], block["input"]))
    if body["stop_reason"] == "refusal":
        made.refusal, made.texts = made.texts[0] or "refused", [""]
    return made


def _anthropic_stream(events: Iterable[Mapping[str, Any]]) -> Told:
    blocks: dict[int, dict[str, Any]] = {}
    usage: dict[str, Any] = {}
    stop = ""
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            usage |= event["message"]["usage"]
        elif kind == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif kind == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            for name in ("text", "thinking"):
                block[name] = block.get(name, "") + delta.get(name, "") if name in delta else block.get(name, "")
            block["json"] += delta.get("partial_json", "")
        elif kind == "message_delta":
            usage |= {name: figure for name, figure in event["usage"].items() if figure is not None}
            stop = event["delta"]["stop_reason"]
    for block in blocks.values():
        if block["type"] == "tool_use":
            block["input"] = _arguments(block["json"] or "{}")
    return _anthropic({"content": [blocks[index] for index in sorted(blocks)], "stop_reason": stop, "usage": usage})


def _anthropic_usage(usage: Mapping[str, Any]) -> dict[str, int]:
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    details = usage.get("output_tokens_details") or {}
    figures = {"input": (usage.get("input_tokens") or 0) + cached + written, "output": usage.get("output_tokens"), "cached": cached}
    figures |= {"written": written, "reasoning": details.get("thinking_tokens")}
    return {name: figure for name, figure in figures.items() if figure}


def _google(body: Mapping[str, Any]) -> Told:
    candidates = body.get("candidates") or []
    made = Told(usage=_google_usage(body.get("usageMetadata") or {}), raw=candidates[0]["content"] if candidates else None)
    for candidate in candidates:
        parts = candidate["content"]["parts"]
        made.texts.append("".join(part.get("text", "") for part in parts if not part.get("thought")))
        made.thought += "".join(part.get("text", "") for part in parts if part.get("thought"))
        made.calls += [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part]
        made.finish.append(candidate.get("finishReason", "").lower())
        made.logprobs += len(candidate.get("logprobsResult", {}).get("chosenCandidates", ()))
    if made.finish == ["safety"]:
        made.refusal, made.texts = made.texts[0] or "refused", [""]
    return made


def _google_stream(chunks: Iterable[Mapping[str, Any]]) -> Told:
    candidates: dict[int, dict[str, Any]] = defaultdict(lambda: {"content": {"parts": []}, "logprobsResult": {"chosenCandidates": []}})
    usage: Mapping[str, Any] = {}
    for chunk in chunks:
        usage = chunk.get("usageMetadata") or usage
        for each in chunk["candidates"]:
            candidate = candidates[each["index"]]
            candidate["content"]["parts"] += each["content"]["parts"]
            candidate["logprobsResult"]["chosenCandidates"] += each.get("logprobsResult", {}).get("chosenCandidates", [])
            candidate |= {"finishReason": each["finishReason"]} if "finishReason" in each else {}
    return _google({"candidates": [candidates[index] for index in sorted(candidates)], "usageMetadata": usage})


def _google_usage(usage: Mapping[str, Any]) -> dict[str, int]:
    thoughts = usage.get("thoughtsTokenCount", 0)
    figures = {"input": usage.get("promptTokenCount", 0), "output": usage.get("candidatesTokenCount", 0) + thoughts}
    figures |= {"cached": usage.get("cachedContentTokenCount", 0), "reasoning": thoughts}
    return {name: figure for name, figure in figures.items() if figure}


def _contract(output: generate_pb2.GenerateOutput) -> Told:
    usage = output.usage
    figures = {"input": usage.input_tokens, "output": usage.output_tokens, "cached": usage.cached_input_tokens}
    figures |= {"written": usage.cache_write_input_tokens, "reasoning": usage.reasoning_output_tokens}
    made = Told(usage={name: figure for name, figure in figures.items() if figure})
    made.raw = output.choices[0].message if output.choices else None
    for choice in output.choices:
        parts = choice.message.parts
        made.texts.append("".join(part.text.text for part in parts))
        made.thought += "".join(part.reasoning.text for part in parts)
        made.refusal += "".join(part.refusal.text for part in parts)
        made.calls += [(part.tool_call.name, _arguments(part.tool_call.arguments_json)) for part in parts if part.HasField("tool_call")]
        made.finish.append(generate_pb2.FinishReason.Name(choice.finish_reason).removeprefix("FINISH_REASON_").lower())
        made.logprobs += len(choice.logprobs) + len(choice.refusal_logprobs)
    return made


def _contract_stream(events: Iterable[generate_pb2.StreamEvent]) -> Told:
    output = generate_pb2.GenerateOutput()
    Collector(output).collect(events)
    return _contract(output)


def _arguments(text: str) -> Any:
    return json.loads(text or "{}")


_READERS: Mapping[str, tuple[Callable[[Any], Told], Callable[[Any], Told]]] = {
    "openai": (_openai, _openai_stream),
    "anthropic": (_anthropic, _anthropic_stream),
    "google": (_google, _google_stream),
    "grpc": (_contract, _contract_stream),
}
