"""The answer to a question under a behaviour: texts, tool calls, and the usage that was truly caused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.behaviour import Behaviour, Style, ToolHabit, UsageReport
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.domain.schema import instance
from llm_mesh_simulator.domain.words import digest, words

REFUSAL: Final = "I'm sorry, but the simulator was told to refuse this request."
_ASKS_FOR_A_TOOL: Final = re.compile(r"\b(?:use|call|invoke)\b.{0,20}\btools?\b", re.IGNORECASE)


class Finish(Enum):
    """Why a choice ended."""

    STOP = "stop"
    SEQUENCE = "sequence"
    LENGTH = "length"
    TOOLS = "tools"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call; the arguments in tokens, which joined are JSON (or the free text of a tool without a schema)."""

    id: str
    name: str
    arguments: tuple[str, ...]
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a request, in tokens."""

    text: tuple[str, ...]
    finish: Finish
    reasoning: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    stop_sequence: str | None = None

    @property
    def tokens(self) -> int:
        """How many tokens were produced."""
        return len(self.reasoning) + len(self.text) + sum(len(call.arguments) for call in self.calls)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as an answer reports them; `prompt` contains the cached and written ones, `completion` the reasoning."""

    prompt: int
    completion: int
    cached: int = 0
    written: int = 0
    written_hour: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """All choices, with what is reported; `usage` is None when the behaviour withholds it."""

    choices: tuple[Choice, ...]
    usage: Usage | None
    true_usage: Usage


def answer(question: Question, behaviour: Behaviour, cache: tuple[int, int, int] = (0, 0, 0)) -> SimulatedAnswer:
    """The answer, which depends on nothing but the arguments."""
    seed = question.seed if question.seed is not None else int.from_bytes(digest(question.text)[:6], "big")
    choices = tuple(_choice(question, behaviour, (seed, index)) for index in range(question.choices))
    read, written, written_hour = cache
    true = Usage(
        prompt=question.prompt_tokens,
        completion=sum(choice.tokens for choice in choices),
        cached=read or min(behaviour.cached, question.prompt_tokens),
        written=written,
        written_hour=written_hour,
        reasoning=sum(len(choice.reasoning) for choice in choices),
    )
    return SimulatedAnswer(choices, reported(true, behaviour), true)


def reported(true: Usage, behaviour: Behaviour) -> Usage | None:
    """The usage that the behaviour makes of the true one."""
    if behaviour.usage is UsageReport.MISSING:
        return None
    if behaviour.usage is UsageReport.ZERO:
        return Usage(0, 0)
    prompt = true.prompt if behaviour.prompt_tokens is None else behaviour.prompt_tokens
    completion = true.completion if behaviour.completion_tokens is None else behaviour.completion_tokens
    factor = behaviour.overbill
    return Usage(
        prompt=round(prompt * factor),
        completion=round(completion * factor),
        cached=min(behaviour.cached, prompt) if behaviour.cached else true.cached,
        written=true.written,
        written_hour=true.written_hour,
        reasoning=true.reasoning,
    )


def _choice(question: Question, behaviour: Behaviour, seed: tuple[int, int]) -> Choice:
    limit = question.max_tokens
    thought, cut = tokens.cut(words(behaviour.reasoning or question.reasoning, "reasoning", *seed), limit)
    left = None if limit is None else limit - len(thought)
    reasoning = tuple(thought)
    if cut:
        return Choice((), Finish.LENGTH, reasoning)
    if behaviour.refusal:
        text, cut = tokens.cut(tokens.split(REFUSAL), left)
        return Choice(tuple(text), Finish.LENGTH if cut else Finish.REFUSAL, reasoning)
    chosen = _tools(question, behaviour)
    if chosen:
        return _calls(chosen * (max(behaviour.calls, 1) if question.parallel else 1), seed, left, reasoning)
    text, stop = _stopped(_text(question, behaviour, seed), question.stop)
    text, cut = tokens.cut(text, left)
    if cut:
        return Choice(tuple(text), Finish.LENGTH, reasoning)
    return Choice(tuple(text), Finish.SEQUENCE if stop is not None else Finish.STOP, reasoning, stop_sequence=stop)


def _text(question: Question, behaviour: Behaviour, seed: tuple[int, int]) -> list[str]:
    if question.json:
        value = {"answer": question.text} if question.schema is None else instance(question.schema, *seed)
        return tokens.split(orjson.dumps(value).decode())
    if behaviour.answer is Style.WORDS:
        return words(behaviour.tokens, question.model, *seed)
    return tokens.split(behaviour.text if behaviour.answer is Style.TEXT else question.text)


def _stopped(text: list[str], stop: Sequence[str]) -> tuple[list[str], str | None]:
    if not stop:
        return text, None
    whole = "".join(text)
    first_stop = min(((whole.find(each), each) for each in stop if each and each in whole), default=None)
    if first_stop is None:
        return text, None
    return tokens.split(whole[: first_stop[0]]), first_stop[1]


def _tools(question: Question, behaviour: Behaviour) -> tuple[Tool, ...]:
    """The tools that the answer calls, in the order in which they were offered."""
    if not question.tools or question.tool_use is ToolUse.NEVER or behaviour.tools is ToolHabit.NEVER:
        return ()
    forced = question.tool_use is ToolUse.FORCED
    if question.after_tool and not forced:
        return ()
    text = question.text.lower()
    named = tuple(tool for tool in question.tools if tool.name.lower() in text or tool.name.lower().replace("_", " ") in text)
    if not named and (forced or behaviour.tools is ToolHabit.ALWAYS or _ASKS_FOR_A_TOOL.search(question.text)):
        named = question.tools if behaviour.tools is ToolHabit.ALWAYS and not forced else question.tools[:1]
    return named if question.parallel else named[:1]


def _calls(chosen: Sequence[Tool], seed: tuple[int, int], left: int | None, reasoning: tuple[str, ...]) -> Choice:
    calls: list[ToolCall] = []
    cut = False
    for number, tool in enumerate(chosen):
        if tool.schema is None:
            arguments = words(6, tool.name, number, *seed)
        else:
            arguments = tokens.split(orjson.dumps(instance({"type": "object", **tool.schema}, tool.name, number, *seed)).decode())
        arguments, cut = tokens.cut(arguments, left)
        left = None if left is None else left - len(arguments)
        if cut and not arguments:
            break
        identity = digest(tool.name, number, *seed).hex()[:24]
        calls.append(ToolCall(identity, tool.name, tuple(arguments), custom=tool.schema is None))
        if cut:
            break
    return Choice((), Finish.LENGTH if cut else Finish.TOOLS, reasoning, tuple(calls))
