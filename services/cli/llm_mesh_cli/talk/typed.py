"""What people type in a conversation: a line that begins with `/` is a command and is never sent to a model."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import grpc

from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.unreachable import explained
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session
    from llm_mesh_cli.talk.conversation import ChatHistory

_SIGN = "/"
_HELP = {
    "/help": "lists these commands",
    "/quit": "ends the conversation, as an empty line, /exit and Ctrl-D do",
    "/model [ALIAS]": "shows the model, or asks another one from now on",
    "/system [TEXT]": "shows the standing instructions, or changes them; /system - takes them away",
    "/clear": "forgets what was said, but not the standing instructions",
    "//TEXT": "sends a message that begins with a slash",
}
_WORDS = ("/help", "/quit", "/exit", "/model", "/system", "/clear")


async def interactive(session: Session, conversation: ChatHistory) -> None:
    """Asks line by line until the end."""
    if session.output.as_json:
        raise CommandError("--json needs a message", Exit.USAGE)
    sys.stderr.write(f"{conversation.model}; /help lists commands; an empty line or Ctrl-D ends\n")
    while True:
        try:
            line = (await asyncio.to_thread(input, "> ")).strip()
        except EOFError:
            return
        if not line:
            return
        try:
            if await _ends(session, conversation, line):
                return
        except CommandError as error:
            session.output.note(str(error))
        except MeshError as error:
            session.output.failure(error)
        except grpc.aio.AioRpcError as error:
            session.output.failure(explained(from_rpc_error(error, peer=session.peer), session))


async def _ends(session: Session, conversation: ChatHistory, line: str) -> bool:
    """Carries out a command, or asks; True where the conversation ends."""
    if line.startswith(_SIGN * 2) or not line.startswith(_SIGN):
        await conversation.ask(line.removeprefix(_SIGN) if line.startswith(_SIGN) else line)
        return False
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word in {"/quit", "/exit"}:
        return True
    if word == "/model":
        if rest:
            await conversation.use_model(rest)
        session.output.note(f"the model is {conversation.model}")
    elif word == "/system":
        if rest:
            conversation.use_system("" if rest == "-" else rest)
        session.output.note(f"standing instructions: {conversation.system or '(none)'}")
    elif word == "/clear":
        conversation.forget()
        session.output.note("what was said is forgotten")
    elif word == "/help":
        sys.stderr.write("".join(f"  {name:<16} {text}\n" for name, text in _HELP.items()))
    else:
        known = [each.removeprefix(_SIGN) for each in _WORDS]
        raise CommandError(f"{missing('command', word.removeprefix(_SIGN), known)}\n  nothing was sent; // begins a message with a slash")
    return False
