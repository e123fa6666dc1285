"""A conversation: what was said so far, and the model that is asked."""

from __future__ import annotations

import sys

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_cli.callable_models import aliases, suggesting
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.shown import enum_text
from llm_mesh_cli.talk.printing import Shown
from llm_mesh_cli.texts import amount

_SIMULATED = "sim-echo"
"""What is asked where nobody says what: it costs next to nothing and reaches no provider."""
_TIMEOUT = 600.0


class ChatHistory:
    """What was said so far."""

    def __init__(
        self,
        session: Session,
        stub: gateway_pb2_grpc.GatewayServiceStub,
        request: generate_pb2.GenerateInput,
        options: gateway_pb2.RequestOptions,
        *,
        streamed: bool = True,
    ) -> None:
        self._session = session
        self._stub = stub
        self._input = request
        self._options = options
        self._streamed = streamed

    @property
    def model(self) -> str:
        """The alias that is asked."""
        return self._input.model

    @property
    def system(self) -> str:
        """The standing instructions; empty where there are none."""
        return "\n".join(part.text.text for message in self._system() for part in message.parts)

    async def use_model(self, alias: str) -> None:
        """Ask another model from now on; NOT_FOUND where the key may not use it."""
        from llm_mesh_cli.existing import missing  # noqa: PLC0415 (few conversations change their model)

        known = await aliases(self._stub, "generate")
        if alias not in known:
            raise CommandError(missing("model", alias, known, whole=True), Exit.NOT_FOUND)
        self._input.model = alias

    def use_system(self, text: str) -> None:
        """Change the standing instructions; an empty text takes them away."""
        others = [message for message in self._input.messages if message.role != content_pb2.ROLE_SYSTEM]
        del self._input.messages[:]
        self._input.messages.extend([*([message_of(content_pb2.ROLE_SYSTEM, text)] if text else []), *others])

    def forget(self) -> None:
        """Begin anew: only the standing instructions stay."""
        earlier = self._system()
        del self._input.messages[:]
        self._input.messages.extend(earlier)

    async def ask(self, text: str) -> None:
        """One question; the answer is shown as it comes. A question that fails is not part of what was said."""
        before = len(self._input.messages)
        if text:
            self._input.messages.append(message_of(content_pb2.ROLE_USER, text))
        shown = Shown(quiet=self._session.output.as_json)
        try:
            async with suggesting(self._session, self._stub, self.model):
                receipt = await (self._stream(shown) if self._streamed else self._whole(shown))
        except BaseException:
            del self._input.messages[before:]
            raise
        shown.end()
        self._input.messages.append(message_of(content_pb2.ROLE_ASSISTANT, shown.text))
        if self._session.output.as_json:
            members = {"text": shown.text, "finishReason": shown.finish, "receipt": as_dict(receipt)}
            self._session.output.data(members | ({"toolCalls": shown.calls} if shown.calls else {}))
        elif sys.stderr.isatty() or sys.stdout.isatty():
            sys.stderr.write(f"{_cost(receipt)}\n")

    async def count(self, text: str) -> None:
        """How many input tokens a question has."""
        if text:
            self._input.messages.append(message_of(content_pb2.ROLE_USER, text))
        request = gateway_pb2.CountTokensRequest(input=self._input, options=self._options)
        async with suggesting(self._session, self._stub, self.model):
            count = (await self._stub.CountTokens(request, timeout=_TIMEOUT)).count
        if self._session.output.as_json:
            self._session.output.message(count)
        source = enum_text(embed_pb2.CountSource.DESCRIPTOR, count.source)
        self._session.output.line(f"{count.input_tokens} input tokens ({source})")

    async def _stream(self, shown: Shown) -> gateway_pb2.Receipt:
        call = self._stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=self._input, options=self._options), timeout=_TIMEOUT)
        receipt = gateway_pb2.Receipt()
        try:
            async for answer in call:
                for event in answer.events:
                    shown.take(event)
                if answer.HasField("receipt"):
                    receipt = answer.receipt
        finally:
            call.cancel()
        return receipt

    async def _whole(self, shown: Shown) -> gateway_pb2.Receipt:
        request = gateway_pb2.GenerateRequest(input=self._input, options=self._options)
        answer = await self._stub.Generate(request, timeout=_TIMEOUT)
        shown.take_whole(answer.output)
        return answer.receipt

    def _system(self) -> list[content_pb2.Message]:
        return [message for message in self._input.messages if message.role == content_pb2.ROLE_SYSTEM]


async def first_model(stub: gateway_pb2_grpc.GatewayServiceStub) -> str:
    """The model that is asked where nobody names one."""
    usable = await aliases(stub, "generate")
    if usable:
        return _SIMULATED if _SIMULATED in usable else usable[0]
    raise CommandError("the key may use no model: register one, or name one with --model", Exit.NOT_FOUND)


def message_of(role: content_pb2.Role, text: str) -> content_pb2.Message:
    """A message of one text."""
    return content_pb2.Message(role=role, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


def _cost(receipt: gateway_pb2.Receipt) -> str:
    usage = [line.usage.usage for line in receipt.lines]
    tokens = f"{sum(each.input_tokens for each in usage)} in, {sum(each.output_tokens for each in usage)} out"
    return f"[{receipt.model.rpartition('/')[2]}: {amount(receipt.charged)}, {tokens}, {receipt.total.ToMilliseconds()} ms]"
