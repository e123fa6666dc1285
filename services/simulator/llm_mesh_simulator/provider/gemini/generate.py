"""Answers and token counts: reading and checking requests as the Gemini API does."""

from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Usage, answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.gemini import proofs
from llm_mesh_simulator.provider.gemini.candidates import CandidateForm, frame, whole
from llm_mesh_simulator.provider.gemini.chunks import chunks
from llm_mesh_simulator.provider.gemini.errors import GeminiPhrasing
from llm_mesh_simulator.provider.gemini.headers import headers
from llm_mesh_simulator.provider.gemini.prompt import ContentsPrompt
from llm_mesh_simulator.provider.reply import EVENTS, JSON, AnswerIdentity, Reply

_THOUGHT: Final = 32
"""How many tokens a thinking model thinks about everything."""
_MODES: Final = {"AUTO": ToolUse.ON_REQUEST, "VALIDATED": ToolUse.ON_REQUEST, "ANY": ToolUse.FORCED, "NONE": ToolUse.NEVER}
_BLOCKED: Final = "BLOCKED"
"""A behaviour's `finish` with which the prompt is blocked, so that there is no candidate."""
_MOST_CANDIDATES: Final = 8


@dataclass(frozen=True, slots=True)
class ContentRequest:
    """A request for an answer that has been read. `events`: chunks are server-sent events, not a JSON array."""

    question: Question
    form: CandidateForm
    stream: bool
    events: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The answer, whole or in chunks."""
        made = answer(self.question, behaviour)
        model, sent = self.question.model, headers(identity.request)
        if behaviour.finish == _BLOCKED:
            return self._blocked(identity, made.true_usage)
        if self.stream:
            body = chunks(model, made, behaviour, self.form, identity, events=self.events)
            return Reply(200, [*sent, EVENTS if self.events else JSON], body, made.true_usage.completion, made.usage)
        text = orjson.dumps(whole(model, made, behaviour, self.form, identity))
        return Reply(200, [*sent, JSON], text, made.true_usage.completion, made.usage)

    def _blocked(self, identity: AnswerIdentity, true: Usage) -> Reply:
        used = Usage(true.prompt, 0)
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, **frame(self.question.model, identity, (), used, self.form)}
        text = orjson.dumps(blocked)
        if not self.stream or not self.events:
            return Reply(200, [*headers(identity.request), JSON], b"[" + text + b"]" if self.stream else text, 0, used)
        return Reply(200, [*headers(identity.request), EVENTS], b"data: " + text + b"\r\n\r\n", 0, used)


@dataclass(frozen=True, slots=True)
class ContentCountRequest:
    """A request to count tokens, which produces none."""

    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:  # noqa: ARG002  a count is the same under all behaviours
        """The count."""
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps({"totalTokens": self.prompt_tokens}), 0, Usage(0, 0))


def read_count(body: RequestFields) -> ContentCountRequest:
    """Reads and checks a request for a count: contents alone, or a whole request around them."""
    prompt = ContentsPrompt()
    prompt.read(body.member("generateContentRequest") or body)
    return ContentCountRequest(prompt.tokens)


def read(body: RequestFields, *, stream: bool, events: bool = True, vertex: bool = False) -> ContentRequest:
    """Reads and checks a request for an answer."""
    model = body.text("model")
    prompt = ContentsPrompt()
    prompt.read(body)
    proofs.check(model, prompt.contents)
    config = body.member("generationConfig") or RequestFields({}, GeminiPhrasing(), "generationConfig")
    tools = tuple(_tool(function) for tool in body.objects("tools") for function in tool.objects("functionDeclarations"))
    tool_use, chosen, partial = _calling(body, tools)
    json = config.text_or("responseMimeType") == "application/json"
    schema = config.member("responseJsonSchema")
    thought, shown = _thinking(config)
    count = config.integer("candidateCount")
    if count is not None and not 1 <= count <= _MOST_CANDIDATES:
        raise RefusedError(f"Invalid candidateCount {count}: expected 1 to 8", param="generationConfig.candidateCount")
    question = Question(
        model=model,
        text=prompt.text,
        prompt_tokens=prompt.tokens,
        after_tool=prompt.after_tool,
        tools=chosen,
        tool_use=tool_use,
        json=json,
        schema=schema.values if schema is not None else None,
        choices=count or 1,
        stop=config.texts("stopSequences"),
        max_tokens=config.integer("maxOutputTokens"),
        seed=config.integer("seed"),
        reasoning=thought,
    )
    logprobs = (config.integer("logprobs") or 0) if config.flag("responseLogprobs") else None
    return ContentRequest(question, CandidateForm(shown, logprobs, partial and stream, vertex), stream, events)


def _tool(function: RequestFields) -> Tool:
    schema = function.member("parametersJsonSchema") or function.member("parameters")
    return Tool(function.text("name"), schema.values if schema is not None else {})


def _calling(body: RequestFields, tools: tuple[Tool, ...]) -> tuple[ToolUse, tuple[Tool, ...], bool]:
    """Whether functions are called, which of them, and whether their arguments come in pieces."""
    outer = body.member("toolConfig")
    config = outer.member("functionCallingConfig") if outer is not None else None
    if config is None:
        return ToolUse.ON_REQUEST, tools, False
    mode = config.text_or("mode") or "AUTO"
    if mode not in _MODES:
        raise RefusedError(f"Invalid value at 'tool_config.function_calling_config.mode': \"{mode}\"", param=config.path("mode"))
    allowed = config.texts("allowedFunctionNames")
    if allowed and mode not in {"ANY", "VALIDATED"}:
        raise RefusedError("Function calling mode must be ANY or VALIDATED to set allowed_function_names.", param=config.path("mode"))
    if unknown := [name for name in allowed if name not in {tool.name for tool in tools}]:
        raise RefusedError(f"Allowed function {unknown[0]} is not declared.", param=config.path("allowedFunctionNames"))
    chosen = tuple(tool for tool in tools if not allowed or tool.name in allowed)
    return _MODES[mode], chosen, config.flag("streamFunctionCallArguments")


def _thinking(config: RequestFields) -> tuple[int, bool]:
    """How many tokens are thought first, and whether they are shown."""
    thinking = config.member("thinkingConfig")
    if thinking is None:
        return 0, False
    budget, level = thinking.integer("thinkingBudget"), thinking.text_or("thinkingLevel")
    if budget is not None and level is not None:
        raise RefusedError("You can only set one of thinking budget and thinking level.", param=thinking.path("thinkingBudget"))
    return (_THOUGHT if (budget is not None and budget != 0) or level is not None else 0), thinking.flag("includeThoughts")
