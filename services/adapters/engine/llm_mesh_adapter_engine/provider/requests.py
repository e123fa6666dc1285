"""From the typed payload to the tokens that an engine is sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_engine.provider.calling import CallPlan, call_plan, constrain
from llm_mesh_adapter_engine.provider.failures import other_model
from llm_mesh_adapter_engine.provider.models import EngineModel, EngineModels
from llm_mesh_adapter_engine.provider.prompts import Body, chat_of, dropped, functions_of, variables_of
from llm_mesh_adapter_engine.provider.reading import ReadingContext
from llm_mesh_adapter_engine.provider.sampling import sampling_of
from llm_mesh_adapter_engine.provider.sayable import allowance_of, sayable
from llm_mesh_adapter_engine.provider.templates import TemplateRenderer
from llm_mesh_adapter_engine.provider.text.sections import THINK_BEGINS
from llm_mesh_adapter_engine.provider.wire.values import Sampling
from llm_mesh_adapter_kit.dialect import Ask, Compute
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_dialects.fields import Fields

_READ: Final = ("model", "messages", "stream")
_PATHS: Final = {"parallel_tool_calls": "parallel_tool_calls", "modalities": "modalities"}

Translations = list[generate_pb2.Translation]


class TemplateInput(NamedTuple):
    """A request, up to what its chat template is shown."""

    model: EngineModel
    values: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]], Mapping[str, Any]]
    """Messages, tools, and further variables."""
    body: Body
    plan: CallPlan
    translations: Translations


class EngineRequest(NamedTuple):
    """A request, as an engine is sent it."""

    message: bytes
    context: ReadingContext
    translations: Translations


class RequestWriter:
    """Writes requests for the models of an adapter's endpoints."""

    def __init__(self, models: EngineModels, renderer: TemplateRenderer) -> None:
        self._models = models
        self._renderer = renderer

    async def generate(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> EngineRequest:
        """A request for an answer."""
        shown = await compute(0, lambda: sayable(lambda: self._conversation(ask, request)))
        text = await self._renderer.render(ask.endpoint.name, shown.model.template, *shown.values)
        return await compute(len(text), lambda: sayable(lambda: self._generate(ask, shown, text)))

    async def tokens(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> int:
        """How many tokens the prompt of a request has."""
        shown = await compute(0, lambda: sayable(lambda: self._conversation(ask, request)))
        text = await self._renderer.render(ask.endpoint.name, shown.model.template, *shown.values)
        return await compute(len(text), lambda: len(_tokens(ask, shown.model, text)))

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> tuple[list[bytes], Translations]:
        """One request for each vector."""
        name = ask.endpoint.name
        wire, model = self._models.wire(ask.endpoint), self._model(ask)
        messages = []
        for item in request.items:
            tokens = item.tokens.ids if item.HasField("tokens") else _tokens(ask, model, item.text, special=True)
            _check_length(name, model, len(tokens), room=0)
            messages.append(wire.embed(_fresh(), list(tokens)))
        translations = [dropped(f"extras[{extra.dialect}.{extra.key}]", "engines embed without options") for extra in request.extras]
        if request.end_user:
            translations.append(dropped("end_user", "engines know no end users"))
        return messages, translations

    def _generate(self, ask: Ask, shown: TemplateInput, text: str) -> EngineRequest:
        """The request, whose prompt is that text."""
        name, model, plan = ask.endpoint.name, shown.model, shown.plan
        wire, options = self._models.wire(ask.endpoint), self._models.options(ask.endpoint)
        tokens = _tokens(ask, model, text)
        fields = Fields(shown.body)
        for key in _READ:
            fields.raw(key)
        sampling = sampling_of(fields)
        translations = [*shown.translations, *_left(fields), *_lacking(sampling, wire.lacks)]
        constrain(sampling, plan)
        _check_length(name, model, len(tokens), room=1)
        if window := model.facts.context_window:
            sampling.max_tokens = min(sampling.max_tokens or window, window - len(tokens))
        identifier = _fresh()
        context = ReadingContext(
            endpoint=name,
            request_id=identifier,
            wire=wire,
            model=model,
            stop=sampling.stop,
            candidates=sampling.candidates,
            logprobs=sampling.logprobs is not None,
            calling=plan.calling,
            tool=plan.tool,
            reasons=bool(options.reasoning_parser),
            reasoning_begun=bool(options.reasoning_parser) and text.rstrip().endswith(THINK_BEGINS),
        )
        return EngineRequest(wire.generate(identifier, tokens, sampling, stream=ask.stream), context, translations)

    def _conversation(self, ask: Ask, request: generate_pb2.GenerateInput) -> TemplateInput:
        model, options = self._model(ask), self._models.options(ask.endpoint)
        body, translations = chat_of(
            request,
            model=ask.model,
            stream=ask.stream,
            max_output_tokens=ask.max_output_tokens,
            allowance=allowance_of(ask.endpoint),
        )
        one = body.pop("parallel_tool_calls", None) is False
        plan = call_plan(functions_of(body.pop("tools", ())), body.pop("tool_choice", None), options.tool_parser, one=one)
        if one and plan.tools and plan.constraint is None:
            translations.append(dropped("parallel_tool_calls", "the model decides how many tools it calls"))
        return TemplateInput(model, (body["messages"], plan.tools, variables_of(body, translations)), body, plan, translations)

    def _model(self, ask: Ask) -> EngineModel:
        model = self._models.of(ask.endpoint)
        if ask.model not in model.facts.names:
            raise other_model(ask.endpoint.name, ask.model, model.facts.served)
        return model


def _left(fields: Fields) -> list[generate_pb2.Translation]:
    """What of the request no engine knows."""
    rest = {key: value for key, value in fields.rest().items() if key != "modalities" or value != ["text"]}
    return [dropped(_PATHS.get(key, f"extras[openai.{key}]"), "engines have no such field") for key in rest]


def _lacking(sampling: Sampling, names: frozenset[str]) -> list[generate_pb2.Translation]:
    values: dict[str, Any] = {name: getattr(sampling, name) for name in names}
    return [dropped(f"sampling.{name}", "the engine has no such field") for name, value in sorted(values.items()) if value is not None]


def _check_length(endpoint: str, model: EngineModel, tokens: int, *, room: int) -> None:
    """A prompt that leaves no room for an answer is refused here: engines say so in words of their own."""
    window = model.facts.context_window
    if window and tokens + room > window:
        text = f"endpoint {endpoint}: the prompt has {tokens} tokens, and the model's context window {window}"
        raise AdapterError(errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED, text, endpoint=endpoint, sent="false")


def _tokens(ask: Ask, model: EngineModel, text: str, *, special: bool = False) -> Sequence[int]:
    """The tokens of a text; PROVIDER_MALFORMED where the tokenizer, which came from the engine, fails at it."""
    try:
        return model.text.encode(text, special=special)
    except ValueError as error:
        failure = malformed(ask.endpoint.name, str(error))
        failure.metadata["sent"] = "false"
        raise failure from None


def _fresh() -> str:
    return f"mesh-{secrets.token_hex(12)}"
