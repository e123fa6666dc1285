"""Messages and token counts: reading and checking requests as Anthropic does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Usage, answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.anthropic.context import edits
from llm_mesh_simulator.provider.anthropic.events import events
from llm_mesh_simulator.provider.anthropic.headers import headers
from llm_mesh_simulator.provider.anthropic.message import MessageForm, message
from llm_mesh_simulator.provider.anthropic.prompt import Prompt
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import EVENTS, JSON, AnswerIdentity, Reply

_LEAST_BUDGET: Final = 1024
_THINKING: Final = 32
"""How many tokens a thinking model thinks about everything."""
_CHOICES: Final = {"auto": ToolUse.ON_REQUEST, "any": ToolUse.FORCED, "tool": ToolUse.FORCED, "none": ToolUse.NEVER}


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A request for a message that has been read."""

    question: Question
    form: MessageForm
    stream: bool
    cache: PromptCache

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The message, whole or in events."""
        cached = self.cache.use(self.question.model, self.question.cache_points)
        made = answer(self.question, behaviour, cached)
        sent = headers(identity.request, tokens=made.true_usage.prompt + made.true_usage.completion)
        if self.stream:
            body = events(self.question.model, made, behaviour, self.form, identity)
            sent += [EVENTS, (b"cache-control", b"no-cache")]
            return Reply(200, sent, body, made.true_usage.completion, made.usage)
        whole = orjson.dumps(message(self.question.model, made, behaviour, self.form, identity))
        return Reply(200, [*sent, JSON], whole, made.true_usage.completion, made.usage)


@dataclass(frozen=True, slots=True)
class CountRequest:
    """A request to count tokens, which produces none."""

    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:  # noqa: ARG002  a count is the same under all behaviours
        """The count."""
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps({"input_tokens": self.prompt_tokens}), 0, Usage(0, 0))


def read_count(body: RequestFields) -> CountRequest:
    """Reads and checks a request for a count."""
    body.text("model")
    return CountRequest(_prompt(body).tokens)


def read(body: RequestFields, cache: PromptCache) -> MessageRequest:
    """Reads and checks a request for a message."""
    model = body.text("model")
    max_tokens = body.integer("max_tokens")
    if max_tokens is None:
        raise body.missing("max_tokens")
    if max_tokens < 0:
        raise RefusedError("max_tokens: Input should be greater than or equal to 0")
    prompt = _prompt(body)
    tools = tuple(_tool(tool) for tool in body.objects("tools"))
    tool_use, parallel, chosen = _tool_choice(body, tools)
    json, schema = _output_format(body)
    reasoning, shown = _thinking(body, max_tokens)
    question = Question(
        model=model,
        text=prompt.text,
        prompt_tokens=prompt.tokens,
        after_tool=prompt.after_tool,
        tools=chosen,
        tool_use=tool_use,
        parallel=parallel,
        json=json,
        schema=schema,
        stop=body.texts("stop_sequences"),
        max_tokens=max_tokens,
        reasoning=reasoning,
        cache_points=tuple(prompt.cache_points),
    )
    return MessageRequest(question, MessageForm(show_thinking=shown, context=edits(body, prompt.tokens)), body.flag("stream"), cache)


def _prompt(body: RequestFields) -> Prompt:
    prompt = Prompt()
    prompt.tools(body)
    prompt.system(body)
    prompt.messages(body)
    prompt.top_level_cache(body)
    return prompt


def _tool(tool: RequestFields) -> Tool:
    name = tool.text("name")
    schema = tool.member("input_schema")
    if schema is None:
        if tool.text_or("type") in {None, "custom"}:
            raise tool.missing("input_schema")
        return Tool(name, {})
    return Tool(name, schema.values)


def _tool_choice(body: RequestFields, tools: tuple[Tool, ...]) -> tuple[ToolUse, bool, tuple[Tool, ...]]:
    choice = body.member("tool_choice")
    if choice is None:
        return ToolUse.ON_REQUEST, True, tools
    kind = choice.text("type")
    if kind not in _CHOICES:
        raise RefusedError(f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if not tools and kind in {"any", "tool"}:
        raise RefusedError("tool_choice may only be specified while providing tools.")
    parallel = not choice.flag("disable_parallel_tool_use")
    if kind != "tool":
        return _CHOICES[kind], parallel, tools
    name = choice.text("name")
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        raise RefusedError(f"Tool '{name}' not found in provided tools")
    return ToolUse.FORCED, parallel, named


def _thinking(body: RequestFields, max_tokens: int) -> tuple[int, bool]:
    """How many tokens of thinking come first, and whether their text is shown."""
    config = body.member("thinking")
    kind = "disabled" if config is None else config.text("type")
    if config is None or kind not in {"enabled", "adaptive"}:
        return 0, True
    if kind == "enabled":
        budget = config.integer("budget_tokens")
        if budget is None:
            raise config.missing("budget_tokens")
        if budget < _LEAST_BUDGET:
            raise RefusedError("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if budget >= max_tokens:
            raise RefusedError("`max_tokens` must be greater than `thinking.budget_tokens`.")
    return _THINKING, config.text_or("display") != "omitted"


def _output_format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    config = body.member("output_config")
    form = config.member("format") if config is not None else None
    if form is None:
        return False, None
    schema = form.member("schema")
    if schema is None:
        raise form.missing("schema")
    return True, schema.values
