"""The model behind an endpoint: its tokenizer, its chat template, and what the engine says of it. Learnt with the first call, then kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, Protocol

from llm_mesh_adapter_engine.provider.failures import of_status, other_model
from llm_mesh_adapter_engine.provider.options import SGLANG, EngineOptions, options_of
from llm_mesh_adapter_engine.provider.templates import ChatTemplate, TemplateRenderer
from llm_mesh_adapter_engine.provider.trials import TokenizerTrial
from llm_mesh_adapter_engine.provider.wire.values import ModelFacts, Wire
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.statuses import messages_of, only_message

Fetch = Callable[[Call], Awaitable[bytes]]
FRESH_FOR: Final = 300.0
"""Seconds after which the engine is asked again which model it has: it may have been started with another one."""


class TextModel(Protocol):
    """A model's tokenizer and chat template."""

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        """The tokens of a text. `special`: with those that the tokenizer puts around a text."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""

    def token(self, token: int) -> str:
        """The text of one token, special ones included."""

    @property
    def template(self) -> ChatTemplate | None:
        """Its chat template. None: it has none."""


@dataclass(frozen=True, slots=True)
class EngineModel:
    """What is known of it."""

    facts: ModelFacts
    text: TextModel
    learnt: float

    @property
    def template(self) -> ChatTemplate | None:
        """Writes its prompts."""
        return self.text.template


def wire_of(options: EngineOptions) -> Wire:
    """The messages of an endpoint's engine."""
    if options.engine == SGLANG:
        from llm_mesh_adapter_engine.provider.wire.sglang import SglangWire  # noqa: PLC0415 - an optional part, which loads for 0.3 s

        return SglangWire()
    from llm_mesh_adapter_engine.provider.wire.vllm import VllmWire  # noqa: PLC0415 - likewise

    return VllmWire()


class StrangersCode(NamedTuple):
    """Runs and tries what engines hand out, in child processes."""

    templates: TemplateRenderer
    tokenizers: TokenizerTrial


class _Place:
    """What is known of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.options = options_of(endpoint)
        self.wire = wire_of(self.options)
        self.model: EngineModel | None = None
        self.learning: asyncio.Task[EngineModel] | None = None

    def ended(self, task: asyncio.Task[EngineModel]) -> None:
        """The model is learnt, or could not be."""
        self.learning = None
        if not task.cancelled() and task.exception() is None:
            self.model = task.result()


class EngineModels:
    """Those of all endpoints. One call at a time learns a model, and others wait for it."""

    def __init__(self, confined: StrangersCode) -> None:
        self.confined = confined
        self._places: dict[str, _Place] = {}

    def options(self, endpoint: Endpoint) -> EngineOptions:
        """The setting of an endpoint."""
        return self._place(endpoint).options

    def wire(self, endpoint: Endpoint) -> Wire:
        """The messages of an endpoint."""
        return self._place(endpoint).wire

    def of(self, endpoint: Endpoint) -> EngineModel:
        """The model; PROVIDER_MODEL_NOT_FOUND where nothing is known of it, since the engine has just gone away."""
        model = self._place(endpoint).model
        if model is None:
            raise other_model(endpoint.name, "any", "")
        return model

    def forget(self, endpoint: Endpoint) -> None:
        """The engine went away: whoever comes back may have another model."""
        self._place(endpoint).model = None

    async def learn(self, endpoint: Endpoint, fetch: Fetch) -> None:
        """Asks the engine, where nothing is known yet or what is known is old."""
        place = self._place(endpoint)
        if place.model is not None and time.monotonic() - place.model.learnt < FRESH_FOR:
            return
        if place.learning is None:
            place.learning = asyncio.get_running_loop().create_task(_learnt(place, fetch, self.confined))
            place.learning.add_done_callback(place.ended)
        await asyncio.shield(place.learning)

    def _place(self, endpoint: Endpoint) -> _Place:
        """An endpoint of the same name may be another one by now."""
        place = self._places.get(endpoint.name)
        if place is None or place.endpoint is not endpoint:
            place = self._places[endpoint.name] = _Place(endpoint)
        return place


async def _learnt(place: _Place, fetch: Fetch, confined: StrangersCode) -> EngineModel:
    name, known = place.endpoint.name, place.model
    body = await fetch(Call(f"/{place.wire.service}/GetModelInfo", framed(b"")))
    facts = _understood(name, partial(place.wire.facts, only_message(name, body, of_status)))
    if known is not None and known.facts == facts:
        return EngineModel(facts, known.text, time.monotonic())
    text = await _text(place, fetch, confined.tokenizers)
    if text.template is not None:
        await confined.templates.check(name, text.template)
    return EngineModel(facts, text, time.monotonic())


async def _text(place: _Place, fetch: Fetch, trial: TokenizerTrial) -> TextModel:
    from llm_mesh_adapter_engine.provider import tokenizers  # noqa: PLC0415 - an optional part, which loads for 0.2 s

    name, chunks = place.endpoint.name, list[bytes]()
    if not place.options.tokenizer:
        body = await fetch(Call(f"/{place.wire.service}/GetTokenizer", framed(b"")))
        chunks = messages_of(name, body, of_status)
    try:
        made = await asyncio.to_thread(tokenizers.unpacked, place.options, chunks)
        if not place.options.tokenizer:
            await trial.check(name, made.vocabulary)
        return await asyncio.to_thread(tokenizers.HuggingFaceText, made.files, made.template)
    except ValueError as error:
        raise malformed(name, str(error)) from None


def _understood(endpoint: str, read: Callable[[], ModelFacts]) -> ModelFacts:
    try:
        return read()
    except ValueError as error:
        raise malformed(endpoint, str(error)) from None
