"""Converse and token counts: reading and checking requests as Bedrock does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Usage, answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.bedrock import frames
from llm_mesh_simulator.provider.bedrock.events import events
from llm_mesh_simulator.provider.bedrock.headers import headers
from llm_mesh_simulator.provider.bedrock.message import Form, message
from llm_mesh_simulator.provider.bedrock.prompt import ConversePrompt
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_THINKING: Final = 32
"""How many tokens a thinking model thinks about everything."""
_CHOICES: Final = {"auto": ToolUse.ON_REQUEST, "any": ToolUse.FORCED, "tool": ToolUse.FORCED}
_FORBIDDEN: Final = "forbidden"
"""The word that the simulated guardrail blocks."""


@dataclass(frozen=True, slots=True)
class ConverseRequest:
    """A request for an answer that has been read."""

    question: Question
    form: Form
    stream: bool
    cache: PromptCache

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The answer, whole or in events."""
        cached = self.cache.use(self.question.model, self.question.cache_points)
        made = answer(self.question, behaviour, cached)
        if self.stream:
            sent = [*headers(identity.request), (b"content-type", frames.MEDIA_TYPE)]
            return Reply(200, sent, events(made, behaviour, self.form), made.true_usage.completion, made.usage)
        whole = orjson.dumps(message(made, behaviour, self.form))
        return Reply(200, [*headers(identity.request), JSON], whole, made.true_usage.completion, made.usage)


@dataclass(frozen=True, slots=True)
class ConverseCountRequest:
    """A request to count tokens, which produces none."""

    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:  # noqa: ARG002  a count is the same under all behaviours
        """The count."""
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps({"inputTokens": self.prompt_tokens}), 0, Usage(0, 0))


def read_count(body: RequestFields) -> ConverseCountRequest:
    """Reads and checks a request for a count."""
    counted_input = body.member("input")
    converse = counted_input.member("converse") if counted_input is not None else None
    if converse is None:
        raise body.missing("input.converse")
    return ConverseCountRequest(_prompt(converse, converse.member("toolConfig")).tokens)


def read(body: RequestFields, cache: PromptCache, *, stream: bool) -> ConverseRequest:
    """Reads and checks a request for an answer."""
    config = body.member("toolConfig")
    prompt = _prompt(body, config)
    if prompt.has_tools and config is None:
        raise RefusedError("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    tools = tuple(_tool(spec) for each in config.objects("tools") if (spec := each.member("toolSpec"))) if config is not None else ()
    tool_use, chosen = _tool_choice(config, tools)
    inference = body.member("inferenceConfig")
    json, schema = _text_format(body)
    blocked = body.member("guardrailConfig") is not None and _FORBIDDEN in prompt.text.lower()
    question = Question(
        model=body.text("model"),
        text=prompt.text,
        prompt_tokens=prompt.tokens,
        after_tool=prompt.after_tool,
        tools=chosen,
        tool_use=tool_use,
        parallel=_parallel(body),
        json=json,
        schema=schema,
        stop=inference.texts("stopSequences") if inference is not None else (),
        max_tokens=inference.integer("maxTokens") if inference is not None else None,
        reasoning=_reasoning(body),
        cache_points=tuple(prompt.cache_points),
    )
    tier = body.member("serviceTier")
    return ConverseRequest(question, Form(blocked=blocked, tier=tier.text("type") if tier is not None else ""), stream, cache)


def _prompt(body: RequestFields, config: RequestFields | None) -> ConversePrompt:
    prompt = ConversePrompt()
    prompt.tools(config)
    prompt.system(body)
    prompt.messages(body)
    return prompt


def _tool(spec: RequestFields) -> Tool:
    name = spec.text("name")
    schema = spec.member("inputSchema")
    inner = schema.member("json") if schema is not None else None
    if inner is None:
        raise spec.missing("inputSchema")
    return Tool(name, inner.values)


def _tool_choice(config: RequestFields | None, tools: tuple[Tool, ...]) -> tuple[ToolUse, tuple[Tool, ...]]:
    choice = config.member("toolChoice") if config is not None else None
    if choice is None:
        return ToolUse.ON_REQUEST, tools
    kind = next((each for each in _CHOICES if choice.member(each) is not None), "")
    if not kind:
        raise RefusedError("The value at 'toolConfig.toolChoice' must set one of auto, any, tool.")
    named = choice.member("tool")
    if named is None:
        return _CHOICES[kind], tools
    chosen = tuple(tool for tool in tools if tool.name == named.text("name"))
    if not chosen:
        raise RefusedError(f"The tool '{named.text('name')}' is not among the tools of the request.")
    return ToolUse.FORCED, chosen


def _own(body: RequestFields) -> RequestFields | None:
    return body.member("additionalModelRequestFields")


def _parallel(body: RequestFields) -> bool:
    own = _own(body)
    choice = own.member("tool_choice") if own is not None else None
    return choice is None or not choice.flag("disable_parallel_tool_use")


def _reasoning(body: RequestFields) -> int:
    """How many tokens of reasoning come first."""
    own, config = _own(body), body.member("outputConfig")
    thinking = own.member("thinking") if own is not None else None
    wished = thinking is not None and thinking.text("type") in {"enabled", "adaptive"}
    wished = wished or bool(own is not None and own.text_or("reasoning_effort"))
    wished = wished or bool(config is not None and config.text_or("effort") not in {None, "none"})
    return _THINKING if wished else 0


def _text_format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    config = body.member("outputConfig")
    form = config.member("textFormat") if config is not None else None
    if form is None:
        return False, None
    structure = form.member("structure")
    described = structure.member("jsonSchema") if structure is not None else None
    if described is None:
        raise form.missing("structure.jsonSchema")
    try:
        schema = orjson.loads(described.text("schema"))
    except orjson.JSONDecodeError:
        raise RefusedError("The value at 'outputConfig.textFormat.structure.jsonSchema.schema' is not JSON.") from None
    return True, schema
