"""`POST /api/chat`: reading and checking requests, and answering them whole or in lines."""

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
from llm_mesh_simulator.provider.ollama.errors import headers
from llm_mesh_simulator.provider.ollama.lines import OllamaAnswerForm, lines, whole
from llm_mesh_simulator.provider.ollama.messages import conversation
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

NDJSON: Final = (b"content-type", b"application/x-ndjson")
_LEVELS: Final[Mapping[str, int]] = {"low": 16, "medium": 64, "high": 128, "max": 512}
_THINKING: Final = 64


@dataclass(frozen=True, slots=True)
class OllamaChatRequest:
    """A chat request that has been read."""

    question: Question
    form: OllamaAnswerForm
    stream: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return self.question.prompt_tokens

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The answer, whole or in lines."""
        made = answer(self.question, behaviour)
        sent = headers(identity.request)
        if self.stream:
            body = lines(self.question.model, made, behaviour, self.form, identity)
            return Reply(200, [*sent, NDJSON], body, made.true_usage.completion, made.usage)
        shown = orjson.dumps(whole(self.question.model, made, behaviour, self.form, identity))
        return Reply(200, [*sent, JSON], shown, made.true_usage.completion, made.usage)


def read(body: RequestFields) -> OllamaChatRequest:
    """Reads and checks a request. Ollama streams unless it is told not to."""
    spoken = conversation(body)
    tools, tool_tokens = _tools(body)
    options = body.member("options")
    limit = options.integer("num_predict") if options is not None else None
    is_json, schema = _format(body)
    question = Question(
        model=body.text("model"),
        text=spoken.text,
        prompt_tokens=spoken.tokens + tool_tokens,
        after_tool=spoken.after_tool,
        tools=tools,
        tool_use=ToolUse.ON_REQUEST,
        json=is_json,
        schema=schema,
        stop=options.texts("stop") if options is not None else (),
        max_tokens=limit if limit is not None and limit >= 0 else None,
        seed=options.integer("seed") if options is not None else None,
        reasoning=_reasoning(body),
    )
    return OllamaChatRequest(
        question, OllamaAnswerForm(body.integer("top_logprobs") or 0 if body.flag("logprobs") else None), body.flag("stream", default=True)
    )


def _tools(body: RequestFields) -> tuple[tuple[Tool, ...], int]:
    offered = body.array("tools")
    tools: list[Tool] = []
    for each in body.objects("tools"):
        function = each.member("function")
        if function is None:
            raise each.missing("function")
        schema = function.member("parameters")
        tools.append(Tool(function.text("name"), schema.values if schema is not None else {}))
    return tuple(tools), tokens.count(orjson.dumps(offered).decode()) if offered else 0


def _format(body: RequestFields) -> tuple[bool, Mapping[str, object] | None]:
    """Whether the answer is JSON, and its schema."""
    form = body.values.get("format")
    if isinstance(form, dict):
        return True, form
    if form is None or form == "":
        return False, None
    if form == "json":
        return True, None
    raise RefusedError(f'invalid format: {form!r}; expected "json" or a valid JSON Schema object')


def _reasoning(body: RequestFields) -> int:
    """How many tokens the request wants thought."""
    think = body.values.get("think")
    if isinstance(think, str):
        if think not in _LEVELS:
            raise RefusedError(f'invalid think value: "{think}" (must be "high", "medium", "low", "max", true, or false)')
        return _LEVELS[think]
    return _THINKING if body.flag("think") else 0
