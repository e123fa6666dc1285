"""Which capabilities a model really has: one small call through the gateway for each, which is reserved and charged like any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli.talk.conversation import message_of

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

MOST_OUTPUT: Final = 256
_SECONDS: Final = 60.0
_KNOWN_WITHIN: Final = 5.0
_PAUSE: Final = 0.1
_SCHEMA: Final = '{"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": false}'

Fill = Callable[[generate_pb2.GenerateInput], None]
Shows = Callable[[generate_pb2.GenerateOutput], bool]


class Trial(NamedTuple):
    """What is asked to find a capability out, and what of the answer shows it."""

    capability: str
    fill: Fill
    shows: Shows


def _text(output: generate_pb2.GenerateOutput) -> str:
    return "".join(part.text.text for choice in output.choices for part in choice.message.parts if part.HasField("text"))


def _json(output: generate_pb2.GenerateOutput) -> object:
    try:
        return json.loads(_text(output))
    except ValueError:
        return None


def _plain(request: generate_pb2.GenerateInput) -> None:
    request.messages.append(message_of(content_pb2.ROLE_USER, "Answer with the word: yes"))


def _tools(request: generate_pb2.GenerateInput) -> None:
    request.messages.append(message_of(content_pb2.ROLE_USER, "Call the tool `note` with the word: yes"))
    request.tools.add().function.MergeFrom(content_pb2.FunctionTool(name="note", description="Notes a word.", parameters_json=_SCHEMA))
    request.tool_choice.mode = content_pb2.TOOL_CHOICE_MODE_REQUIRED


def _json_object(request: generate_pb2.GenerateInput) -> None:
    request.messages.append(message_of(content_pb2.ROLE_USER, 'Answer with this JSON object: {"word": "yes"}'))
    request.response_format.json_object.SetInParent()


def _logprobs(request: generate_pb2.GenerateInput) -> None:
    _plain(request)
    request.logprobs.SetInParent()


def _json_schema(request: generate_pb2.GenerateInput) -> None:
    request.messages.append(message_of(content_pb2.ROLE_USER, "Answer in JSON with the word: yes"))
    request.response_format.json_schema.name = "word"
    request.response_format.json_schema.schema_json = _SCHEMA


def _called(output: generate_pb2.GenerateOutput) -> bool:
    return any(part.HasField("tool_call") for choice in output.choices for part in choice.message.parts)


def _fits(output: generate_pb2.GenerateOutput) -> bool:
    answer = _json(output)
    return isinstance(answer, dict) and answer.keys() == {"word"} and isinstance(answer["word"], str)


TRIALS: Final = (
    Trial("generate", _plain, lambda output: bool(output.choices)),
    Trial("tools", _tools, _called),
    Trial("json_object", _json_object, lambda output: isinstance(_json(output), dict)),
    Trial("json_schema", _json_schema, _fits),
    Trial("logprobs", _logprobs, lambda output: any(choice.logprobs for choice in output.choices)),
)
OTHERS: Final = ("streaming", "embeddings")
TRIED: Final = (*(trial.capability for trial in TRIALS), *OTHERS)


class TriedModel(NamedTuple):
    """What was found out about one model."""

    capabilities: tuple[str, ...]
    costs: tuple[resources_pb2.Money, ...]
    failures: tuple[str, ...]
    """What calls failed with, one each; the capability did not show by them."""


class Trying:
    """Tries models with the key of a project, which pays. One call after the other."""

    def __init__(self, session: Session, progress: Callable[[str], None]) -> None:
        self._stub = gateway_pb2_grpc.GatewayServiceStub(session.channel("gateway"))
        self._progress = progress
        self._costs: list[resources_pb2.Money] = []

    async def model(self, alias: str) -> TriedModel:
        """Each capability by a call of its own; the others are not tried where the model generates nothing."""
        self._costs = []
        shown, failures = [], []
        for capability, ask in self._asks(alias):
            if capability not in {"generate", "embeddings"} and "generate" not in shown:
                continue
            try:
                has = await self._known(ask)
            except grpc.aio.AioRpcError as error:
                has = False
                failures.append(f"{capability}: {error.details()}")
            self._progress(f"{alias}: {capability}: {'yes' if has else 'no'}")
            if has:
                shown.append(capability)
        return TriedModel(tuple(shown), tuple(self._costs), tuple(failures))

    def _asks(self, alias: str) -> Sequence[tuple[str, Callable[[], Awaitable[bool]]]]:
        whole = [(trial.capability, partial(self._whole, alias, trial)) for trial in TRIALS]
        return [*whole, ("streaming", partial(self._streamed, alias)), ("embeddings", partial(self._embedded, alias))]

    async def _known(self, ask: Callable[[], Awaitable[bool]]) -> bool:
        """The call; again for a moment while the router does not know the model yet."""
        end = asyncio.get_running_loop().time() + _KNOWN_WITHIN
        while True:
            try:
                return await ask()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND or asyncio.get_running_loop().time() > end:
                    raise
            await asyncio.sleep(_PAUSE)

    async def _whole(self, alias: str, trial: Trial) -> bool:
        request = generate_pb2.GenerateInput(model=alias, max_output_tokens=MOST_OUTPUT)
        trial.fill(request)
        answer = await self._stub.Generate(gateway_pb2.GenerateRequest(input=request), timeout=_SECONDS)
        self._costs.append(answer.receipt.charged)
        return trial.shows(answer.output)

    async def _streamed(self, alias: str) -> bool:
        request = generate_pb2.GenerateInput(model=alias, max_output_tokens=MOST_OUTPUT)
        _plain(request)
        call = self._stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=request), timeout=_SECONDS)
        events = 0
        try:
            async for message in call:
                events += len(message.events)
                if message.HasField("receipt"):
                    self._costs.append(message.receipt.charged)
        finally:
            call.cancel()
        return events > 0

    async def _embedded(self, alias: str) -> bool:
        request = embed_pb2.EmbedInput(model=alias, items=[embed_pb2.EmbedItem(text="yes")])
        answer = await self._stub.Embed(gateway_pb2.EmbedRequest(input=request), timeout=_SECONDS)
        self._costs.append(answer.receipt.charged)
        return bool(answer.output.embeddings)
