"""`POST /v2/chat`: reading and checking requests, and answering them whole or in events."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import answer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.question import Question, Tool, ToolUse
from llm_mesh_simulator.provider.cohere.errors import headers
from llm_mesh_simulator.provider.cohere.events import CohereAnswerForm, events, whole
from llm_mesh_simulator.provider.cohere.messages import conversation
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import EVENTS, JSON, AnswerIdentity, Reply

_MOST_STOPS = 5
_THINKING = 64
_USES: Mapping[str, ToolUse] = {"NONE": ToolUse.NEVER, "REQUIRED": ToolUse.FORCED}


@dataclass(frozen=True, slots=True)
class CohereChatRequest:
    """A chat request that has been read."""

    question: Question
    form: CohereAnswerForm
    stream: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The answer, whole or in events."""
        made = answer(self.question, behaviour)
        sent = headers(identity.request)
        if self.stream:
            return Reply(200, [*sent, EVENTS], events(made, behaviour, self.form, identity), made.true_usage.completion, made.usage)
        return Reply(200, [*sent, JSON], orjson.dumps(whole(made, behaviour, self.form, identity)), made.true_usage.completion, made.usage)


def read(body: RequestFields) -> CohereChatRequest:
    """Reads and checks a request."""
    spoken = conversation(body)
    tools, tool_tokens = _tools(body)
    is_json, schema = _format(body)
    question = Question(
        model=body.text("model"),
        text=spoken.text,
        prompt_tokens=spoken.tokens + tool_tokens,
        after_tool=spoken.after_tool,
        tools=tools,
        tool_use=_tool_use(body, tools),
        json=is_json,
        schema=schema,
        stop=_stop(body),
        max_tokens=_limit(body),
        seed=body.integer("seed"),
        reasoning=_reasoning(body),
    )
    documents = body.array("documents")
    return CohereChatRequest(
        question, CohereAnswerForm(logprobs=body.flag("logprobs"), cited=documents[0] if documents else None), body.flag("stream")
    )


def _limit(body: RequestFields) -> int | None:
    limit = body.integer("max_tokens")
    if limit is not None and limit < 1:
        raise RefusedError("invalid request: max_tokens must be at least 1")
    return limit


def _stop(body: RequestFields) -> tuple[str, ...]:
    stops = body.texts("stop_sequences")
    if len(stops) > _MOST_STOPS:
        raise RefusedError(f"invalid request: stop_sequences must have at most {_MOST_STOPS} items")
    return stops


def _tools(body: RequestFields) -> tuple[tuple[Tool, ...], int]:
    offered = body.array("tools")
    tools: list[Tool] = []
    for each in body.objects("tools"):
        function = each.member("function")
        if function is None:
            raise each.missing("function")
        schema = function.member("parameters")
        if schema is None:
            raise function.missing("parameters")
        tools.append(Tool(function.text("name"), schema.values))
    return tuple(tools), tokens.count(orjson.dumps(offered).decode()) if offered else 0


def _tool_use(body: RequestFields, tools: tuple[Tool, ...]) -> ToolUse:
    choice = body.text_or("tool_choice")
    if choice is None:
        return ToolUse.ON_REQUEST
    if choice not in _USES or not tools:
        raise RefusedError(f"invalid request: tool_choice '{choice}' needs tools, and is REQUIRED or NONE")
    return _USES[choice]


def _format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    """Whether the answer is JSON, and its schema."""
    form = body.member("response_format")
    kind = "text" if form is None else form.text("type")
    if form is None or kind == "text":
        return False, None
    if kind != "json_object":
        raise RefusedError(f"invalid request: response_format.type '{kind}' must be text or json_object")
    schema = form.member("json_schema")
    return True, schema.values if schema is not None else None


def _reasoning(body: RequestFields) -> int:
    """How many tokens the request wants thought."""
    thinking = body.member("thinking")
    if thinking is None or thinking.text("type") == "disabled":
        return 0
    budget = thinking.integer("token_budget")
    return _THINKING if budget is None else budget
