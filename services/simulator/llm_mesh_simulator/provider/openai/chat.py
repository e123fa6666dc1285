"""Chat completion requests: reading and checking them as OpenAI does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.chunks import chunks
from llm_mesh_simulator.provider.openai.completion import CompletionForm, completion
from llm_mesh_simulator.provider.openai.efforts import effort_tokens
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.openai.messages import conversation
from llm_mesh_simulator.provider.reply import EVENTS, JSON, AnswerIdentity, Reply

_MAX_CHOICES: Final = 128
_MAX_STOPS: Final = 4
_MAX_TOP: Final = 20


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat request that has been read."""

    question: Question
    form: CompletionForm
    stream: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The completion, whole or in chunks."""
        made = answer(self.question, behaviour)
        sent = headers(identity.request, tokens=made.true_usage.prompt + made.true_usage.completion)
        shown = made.usage
        if self.stream:
            body = chunks(self.question.model, made, behaviour, self.form, identity)
            shown = shown if self.form.include_usage else None
            return Reply(200, [*sent, EVENTS, (b"cache-control", b"no-cache")], body, made.true_usage.completion, shown)
        whole = completion(self.question.model, made, behaviour, self.form, identity)
        return Reply(200, [*sent, JSON], orjson.dumps(whole), made.true_usage.completion, shown)


def read(body: RequestFields) -> ChatRequest:
    """Reads and checks a request."""
    spoken = conversation(body)
    stream = body.flag("stream")
    options = body.member("stream_options")
    if options is not None and not stream:
        raise RefusedError("The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options")
    tools, tool_tokens = _tools(body)
    tool_use, tools = _tool_choice(body, tools)
    json, schema = _response_format(body)
    question = Question(
        model=body.text("model"),
        text=spoken.text,
        prompt_tokens=spoken.tokens + tool_tokens,
        after_tool=spoken.after_tool,
        tools=tools,
        tool_use=tool_use,
        parallel=body.flag("parallel_tool_calls", default=True),
        json=json,
        schema=schema,
        choices=_within(body, "n", 1, _MAX_CHOICES) or 1,
        stop=_stop(body),
        max_tokens=_max_tokens(body),
        seed=body.integer("seed"),
        reasoning=effort_tokens(body, "reasoning_effort"),
    )
    return ChatRequest(question, CompletionForm(_logprobs(body), options is not None and options.flag("include_usage")), stream)


def _within(body: RequestFields, key: str, low: int, high: int) -> int | None:
    value = body.integer(key)
    if value is None or low <= value <= high:
        return value
    if value < low:
        message = f"Invalid '{key}': integer below minimum value. Expected a value >= {low}, but got {value} instead."
        raise RefusedError(message, param=key, code="integer_below_min_value")
    message = f"Invalid '{key}': integer above maximum value. Expected a value <= {high}, but got {value} instead."
    raise RefusedError(message, param=key, code="integer_above_max_value")


def _max_tokens(body: RequestFields) -> int | None:
    old = _within(body, "max_tokens", 1, 2**31)
    new = _within(body, "max_completion_tokens", 1, 2**31)
    if old is not None and new is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise RefusedError(message, code="invalid_parameter_combination")
    return new if old is None else old


def _stop(body: RequestFields) -> tuple[str, ...]:
    stops = body.texts("stop")
    if len(stops) > _MAX_STOPS:
        message = (
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length {len(stops)} instead."
        )
        raise RefusedError(message, param="stop", code="array_above_max_length")
    return stops


def _logprobs(body: RequestFields) -> int | None:
    top = _within(body, "top_logprobs", 0, _MAX_TOP)
    if body.flag("logprobs"):
        return top or 0
    if top is not None:
        message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
        raise RefusedError(message, param="top_logprobs")
    return None


def _tools(body: RequestFields) -> tuple[tuple[Tool, ...], int]:
    """The tools, and the tokens of their definitions."""
    offered = body.array("tools")
    if not offered:
        return (), 0
    tools: list[Tool] = []
    for tool in body.objects("tools"):
        kind = tool.text("type")
        if kind not in {"function", "custom"}:
            message = f"Invalid value: '{kind}'. Supported values are: 'function' and 'custom'."
            raise RefusedError(message, param=tool.path("type"), code="invalid_value")
        definition = tool.member(kind)
        if definition is None:
            raise tool.missing(kind)
        schema = definition.member("parameters") if kind == "function" else None
        properties = schema.values if schema is not None else {}
        tools.append(Tool(definition.text("name"), properties if kind == "function" else None))
    return tuple(tools), tokens.count(orjson.dumps(offered).decode())


def _tool_choice(body: RequestFields, tools: tuple[Tool, ...]) -> tuple[ToolUse, tuple[Tool, ...]]:
    """Whether tools are called, and which ones come into question."""
    choice = body.values.get("tool_choice")
    if choice is None:
        return ToolUse.ON_REQUEST, tools
    if not tools:
        raise RefusedError("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, str):
        uses = {"none": ToolUse.NEVER, "auto": ToolUse.ON_REQUEST, "required": ToolUse.FORCED}
        if choice not in uses:
            message = f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
            raise RefusedError(message, param="tool_choice", code="invalid_value")
        return uses[choice], tools
    chosen = body.member("tool_choice")
    allowed = chosen.member("allowed_tools") if chosen is not None else None
    if allowed is not None:
        names = {_name(each) for each in allowed.objects("tools")}
        use = ToolUse.FORCED if allowed.text("mode") == "required" else ToolUse.ON_REQUEST
        return use, tuple(tool for tool in tools if tool.name in names)
    name = _name(chosen) if chosen is not None else ""
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise RefusedError(message, param="tool_choice", code="invalid_value")
    return ToolUse.FORCED, named


def _name(choice: RequestFields) -> str:
    function = choice.member("function") or choice.member("custom")
    if function is None:
        raise choice.missing("function")
    return function.text("name")


def _response_format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    """Whether the answer is JSON, and its schema."""
    form = body.member("response_format")
    kind = "text" if form is None else form.text("type")
    if form is None or kind == "text":
        return False, None
    if kind == "json_object":
        return True, None
    if kind != "json_schema":
        message = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise RefusedError(message, param="response_format.type", code="invalid_value")
    named = form.member("json_schema")
    if named is None:
        raise form.missing("json_schema")
    named.text("name")
    schema = named.member("schema")
    return True, schema.values if schema is not None else {}
