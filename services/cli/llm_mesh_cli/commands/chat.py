"""`llm-mesh chat`: asks a model through the gateway, as any application would, and says what it cost."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount

app = typer.Typer()
_SIMULATED = "sim-echo"
"""What is asked where nobody says what: it costs next to nothing and reaches no provider."""


@asks(app, who="project")
async def chat(
    session: Session,
    message: Annotated[str | None, typer.Argument(help="What to ask; `-` reads standard input. Interactive without it.")] = None,
    model: Annotated[str, typer.Option("-m", "--model", help="The model's alias. Default: sim-echo, else the first.")] = "",
    system: Annotated[str, typer.Option(help="Standing instructions.")] = "",
    max_tokens: Annotated[int, typer.Option(min=0, help="Most tokens of an answer. 0: the project's limit.")] = 0,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="How freely tokens are chosen.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="key=value to account under; repeatable.")] = None,
    prompt: Annotated[str, typer.Option(help="A prompt of the catalogue to begin with.")] = "",
    variables: Annotated[str, typer.Option(help="Values of the prompt's variables, as a JSON object.")] = "",
) -> None:
    """Ask a model; interactive without a message."""
    stub = gateway_pb2_grpc.GatewayServiceStub(session.channel("gateway"))
    options = gateway_pb2.RequestOptions(tags=_tags(tag or []))
    if prompt:
        options.prompt.name, options.prompt.variables_json = prompt, variables
    wanted = generate_pb2.GenerateInput(model=model or await _first_model(stub), max_output_tokens=max_tokens)
    if temperature is not None:
        wanted.sampling.temperature = temperature
    if system:
        wanted.messages.append(_said(content_pb2.ROLE_SYSTEM, system))
    conversation = Conversation(session, stub, wanted, options)
    if message is not None:
        await conversation.ask(sys.stdin.read() if message == "-" else message)
    elif prompt and not sys.stdin.isatty():
        await conversation.ask("")
    else:
        await _interactive(session, conversation)


class Conversation:
    """What was said so far."""

    def __init__(
        self,
        session: Session,
        stub: gateway_pb2_grpc.GatewayServiceStub,
        wanted: generate_pb2.GenerateInput,
        options: gateway_pb2.RequestOptions,
    ) -> None:
        self._session = session
        self._stub = stub
        self._wanted = wanted
        self._options = options

    @property
    def model(self) -> str:
        """The alias that is asked."""
        return self._wanted.model

    async def ask(self, text: str) -> None:
        """One question; the answer is shown as it comes."""
        if text:
            self._wanted.messages.append(_said(content_pb2.ROLE_USER, text))
        call = self._stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=self._wanted, options=self._options), timeout=600)
        shown = _Shown(quiet=self._session.output.as_json)
        receipt = gateway_pb2.Receipt()
        try:
            async for answer in call:
                for event in answer.events:
                    shown.take(event)
                if answer.HasField("receipt"):
                    receipt = answer.receipt
        finally:
            call.cancel()
        shown.end()
        self._wanted.messages.append(_said(content_pb2.ROLE_ASSISTANT, shown.text))
        if self._session.output.as_json:
            told = {"text": shown.text, "finishReason": shown.finish, "receipt": as_dict(receipt)}
            self._session.output.data(told | ({"toolCalls": shown.calls} if shown.calls else {}))
        elif sys.stderr.isatty() or sys.stdout.isatty():
            sys.stderr.write(f"{_cost(receipt)}\n")


class _Shown:
    """Writes an answer as it comes, and remembers it."""

    def __init__(self, *, quiet: bool) -> None:
        self.text = ""
        self.finish = ""
        self.calls: list[dict[str, str]] = []
        self._quiet = quiet
        self._reasoning = False

    def take(self, event: generate_pb2.StreamEvent) -> None:
        kind = event.WhichOneof("kind")
        if kind == "text":
            self._write(event.text.text, reasoning=False)
            self.text += event.text.text
        elif kind == "refusal":
            self._write(event.refusal.text, reasoning=False)
            self.text += event.refusal.text
        elif kind == "reasoning":
            self._write(event.reasoning.text, reasoning=True)
        elif kind == "tool_call_started":
            self.calls.append({"name": event.tool_call_started.name, "arguments": ""})
        elif kind == "tool_call" and self.calls:
            self.calls[-1]["arguments"] += event.tool_call.arguments_json
        elif kind == "choice_finished":
            self.finish = generate_pb2.FinishReason.Name(event.choice_finished.finish_reason).removeprefix("FINISH_REASON_").lower()

    def end(self) -> None:
        if self._quiet:
            return
        for call in self.calls:
            sys.stdout.write(f"[calls {call['name']}({call['arguments']})]\n")
        if self.text and not self.text.endswith("\n"):
            sys.stdout.write("\n")
        sys.stdout.flush()

    def _write(self, text: str, *, reasoning: bool) -> None:
        """Reasoning goes to people only: what is piped on is the answer."""
        if self._quiet:
            return
        if reasoning:
            if sys.stderr.isatty():
                sys.stderr.write(f"\x1b[2m{visible(text)}\x1b[0m")
                self._reasoning = True
            return
        if self._reasoning:
            sys.stderr.write("\n")
            self._reasoning = False
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()


def visible(text: str) -> str:
    """Text of a model for a terminal: control characters must not drive it."""
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


async def _interactive(session: Session, conversation: Conversation) -> None:
    if session.output.as_json:
        raise CommandError("--json wants a message", Exit.USAGE)
    sys.stderr.write(f"{conversation.model}; an empty line or Ctrl-D ends\n")
    while True:
        try:
            text = await asyncio.to_thread(input, "> ")
        except EOFError:
            return
        if not text.strip():
            return
        await conversation.ask(text)


async def _first_model(stub: gateway_pb2_grpc.GatewayServiceStub) -> str:
    answer = await stub.ListModels(gateway_pb2.ListModelsRequest(page_size=1000), timeout=30)
    usable = [model.alias for model in answer.models if not model.capabilities or "generate" in model.capabilities]
    if usable:
        return _SIMULATED if _SIMULATED in usable else usable[0]
    raise CommandError("the key may use no model: register one, or name one with --model", Exit.NOT_FOUND)


def _said(role: content_pb2.Role, text: str) -> content_pb2.Message:
    return content_pb2.Message(role=role, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


def _tags(pairs: list[str]) -> dict[str, str]:
    wrong = next((pair for pair in pairs if "=" not in pair), "")
    if wrong:
        raise CommandError(f"--tag {wrong}: expected key=value", Exit.USAGE)
    return dict(pair.split("=", 1) for pair in pairs)


def _cost(receipt: gateway_pb2.Receipt) -> str:
    usage = [line.usage.usage for line in receipt.lines]
    tokens = f"{sum(each.input_tokens for each in usage)} in, {sum(each.output_tokens for each in usage)} out"
    return f"[{receipt.model.rpartition('/')[2]}: {amount(receipt.charged)}, {tokens}, {receipt.total.ToMilliseconds()} ms]"
