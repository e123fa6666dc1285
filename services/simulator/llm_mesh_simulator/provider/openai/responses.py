"""Responses: reading and checking requests as OpenAI does. Nothing is stored, so that nothing of an earlier response is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.efforts import effort_tokens
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.openai.response_events import events
from llm_mesh_simulator.provider.openai.response_object import ResponseForm, whole
from llm_mesh_simulator.provider.openai.response_prompt import ResponsePrompt
from llm_mesh_simulator.provider.reply import EVENTS, JSON, AnswerIdentity, Reply

_LOGPROBS: Final = "message.output_text.logprobs"
_USES: Final = {"none": ToolUse.NEVER, "auto": ToolUse.ON_REQUEST, "required": ToolUse.FORCED}


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A request that has been read."""

    question: Question
    form: ResponseForm
    stream: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The response, whole or in events."""
        made = answer(self.question, behaviour)
        sent = headers(identity.request, tokens=made.true_usage.prompt + made.true_usage.completion)
        if self.stream:
            body = events(self.question.model, made, behaviour, self.form, identity)
            return Reply(200, [*sent, EVENTS, (b"cache-control", b"no-cache")], body, made.true_usage.completion, made.usage)
        text = orjson.dumps(whole(self.question.model, made, behaviour, self.form, identity))
        return Reply(200, [*sent, JSON], text, made.true_usage.completion, made.usage)


@dataclass(frozen=True, slots=True)
class InputTokensRequest:
    """A request to count tokens, which produces none."""

    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:  # noqa: ARG002  a count is the same under all behaviours
        """The count."""
        counted = {"object": "response.input_tokens", "input_tokens": self.prompt_tokens}
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(counted), 0, Usage(0, 0))


def read(body: RequestFields) -> ResponseRequest:
    """Reads and checks a request."""
    _refuse_state(body)
    prompt = ResponsePrompt(body.text("model"))
    prompt.read(body)
    tools, tool_tokens = _tools(body)
    use, tools = _tool_choice(body, tools)
    json, schema = _format(body)
    effort = body.member("reasoning")
    question = Question(
        model=prompt.model,
        text=prompt.text,
        prompt_tokens=prompt.tokens + tool_tokens,
        after_tool=prompt.after_tool,
        tools=tools,
        tool_use=use,
        parallel=body.flag("parallel_tool_calls", default=True),
        json=json,
        schema=schema,
        max_tokens=_limit(body),
        reasoning=effort_tokens(effort, "effort") if effort is not None else 0,
    )
    logprobs = (body.integer("top_logprobs") or 0) if _LOGPROBS in body.texts("include") else None
    summary = effort is not None and effort.text_or("summary") is not None
    return ResponseRequest(question, ResponseForm(body.values, logprobs, summary), body.flag("stream"))


def read_count(body: RequestFields) -> InputTokensRequest:
    """Reads and checks a request for a count."""
    prompt = ResponsePrompt(body.text("model"))
    prompt.read(body)
    return InputTokensRequest(prompt.tokens + _tools(body)[1])


def _refuse_state(body: RequestFields) -> None:
    earlier = body.text_or("previous_response_id")
    if earlier is not None:
        message = f"Previous response with id '{earlier}' not found."
        raise RefusedError(message, kind=RefusalKind.NOT_FOUND, param="previous_response_id", code="previous_response_not_found")
    if body.flag("background"):
        raise RefusedError("The simulator has no background mode.", param="background", code="unsupported_value")


def _limit(body: RequestFields) -> int | None:
    limit = body.integer("max_output_tokens")
    if limit is not None and limit < 1:
        message = f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 1, but got {limit} instead."
        raise RefusedError(message, param="max_output_tokens", code="integer_below_min_value")
    return limit


def _tools(body: RequestFields) -> tuple[tuple[Tool, ...], int]:
    """The tools that the application runs, and the tokens of all definitions."""
    offered = body.array("tools")
    tools: list[Tool] = []
    for tool in body.objects("tools"):
        kind = tool.text("type")
        if kind == "function":
            schema = tool.member("parameters")
            tools.append(Tool(tool.text("name"), schema.values if schema is not None else {}))
        elif kind == "custom":
            tools.append(Tool(tool.text("name"), None))
    return tuple(tools), tokens.count(orjson.dumps(offered).decode()) if offered else 0


def _tool_choice(body: RequestFields, tools: tuple[Tool, ...]) -> tuple[ToolUse, tuple[Tool, ...]]:
    choice = body.values.get("tool_choice")
    if choice is None:
        return ToolUse.ON_REQUEST, tools
    if isinstance(choice, str):
        if choice not in _USES:
            message = f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
            raise RefusedError(message, param="tool_choice", code="invalid_value")
        return _USES[choice], tools
    chosen = body.member("tool_choice")
    if chosen is not None and chosen.text("type") == "allowed_tools":
        names = {each.text("name") for each in chosen.objects("tools")}
        return _USES.get(chosen.text("mode"), ToolUse.ON_REQUEST), tuple(tool for tool in tools if tool.name in names)
    name = chosen.text("name") if chosen is not None else ""
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise RefusedError(message, param="tool_choice", code="invalid_value")
    return ToolUse.FORCED, named


def _format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    """Whether the answer is JSON, and its schema."""
    text = body.member("text")
    form = text.member("format") if text is not None else None
    kind = "text" if form is None else form.text("type")
    if form is None or kind == "text":
        return False, None
    if kind == "json_object":
        return True, None
    if kind != "json_schema":
        message = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise RefusedError(message, param="text.format.type", code="invalid_value")
    form.text("name")
    schema = form.member("schema")
    if schema is None:
        raise form.missing("schema")
    return True, schema.values
