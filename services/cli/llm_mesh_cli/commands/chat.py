"""`llm-mesh chat`: asks a model through the gateway, as any application would, and says what it cost."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.session import Session
from llm_mesh_cli.talk.conversation import ChatHistory, first_model, message_of
from llm_mesh_cli.talk.typed import interactive
from llm_mesh_cli.variables import Variables, prompt_reference, variables_json

app = typer.Typer()


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
    label: Annotated[str, typer.Option(help="The label whose version is rendered. Default: production, or the newest.")] = "",
    variable: Variables = None,
    variables: Annotated[str, typer.Option(help="Values of the prompt's variables, as a JSON object; --var stands before it.")] = "",
    stream: Annotated[bool, typer.Option("--stream/--no-stream", help="Show the answer as it comes, or once it is whole.")] = True,
    count: Annotated[bool, typer.Option("--count", help="Count the tokens of the message instead of asking.")] = False,
) -> None:
    """Ask a model; interactive without a message. In a conversation `/help` lists what is a command; no command is sent to a model."""
    stub = gateway_pb2_grpc.GatewayServiceStub(session.channel("gateway"))
    options = gateway_pb2.RequestOptions(tags=_tags(tag or []))
    if prompt:
        options.prompt.name, options.prompt.label = prompt_reference(prompt), label
        options.prompt.variables_json = variables_json(variable, variables)
    elif label or variable or variables:
        raise CommandError("--label, --var and --variables are of a prompt: name it with --prompt", Exit.USAGE)
    template = generate_pb2.GenerateInput(model=model or await first_model(stub), max_output_tokens=max_tokens)
    if temperature is not None:
        template.sampling.temperature = temperature
    if system:
        template.messages.append(message_of(content_pb2.ROLE_SYSTEM, system))
    conversation = ChatHistory(session, stub, template, options, streamed=stream)
    text = sys.stdin.read() if message == "-" else message
    if count:
        await conversation.count(text or "")
    elif text is not None:
        await conversation.ask(text)
    elif prompt and not sys.stdin.isatty():
        await conversation.ask("")
    else:
        await interactive(session, conversation)


def _tags(pairs: list[str]) -> dict[str, str]:
    wrong = next((pair for pair in pairs if "=" not in pair), "")
    if wrong:
        raise CommandError(f"--tag {wrong}: expected key=value", Exit.USAGE)
    return dict(pair.split("=", 1) for pair in pairs)
