"""Makes commands of coroutines: adds the options that all have, opens the session, and turns errors into exit codes."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from llm_mesh_cli.failures import CommandError, Exit, exit_code
from llm_mesh_cli.files import EmptyKeyError
from llm_mesh_cli.output import Output
from llm_mesh_cli.session import Access, MissingKeyError, Session, Who
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.settings import SettingsError

Work = Callable[..., Awaitable[None]]

_Key = Annotated[str | None, typer.Option("--key", help="The key to ask with (LLM_MESH_KEY; else from the data directory).")]
_Address = Annotated[str | None, typer.Option("--address", help="Where the mesh is asked over gRPC (LLM_MESH_ADDRESS).")]
_DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data directory of a local mesh (LLM_MESH_DATA_DIR).")]
_Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
_Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the audit trail: at most 512 bytes.")]
_COMMON = {
    "key": inspect.Parameter("key", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Key),
    "address": inspect.Parameter("address", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Address),
    "data_dir": inspect.Parameter("data_dir", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_DataDir),
    "reason": inspect.Parameter("reason", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Reason),
    "json": inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Json),
}


def asks(app: typer.Typer, name: str | None = None, *, who: Who = "admin", aliases: tuple[str, ...] = ()) -> Callable[[Work], Work]:
    """Registers `async def command(session, …)`; the options that all commands have are added to its own.

    It answers to its aliases too, which help does not list.
    """

    def register(work: Work) -> Work:
        def command(**options: Any) -> None:  # noqa: ANN401 (each command's own options)
            access = Access(**{option: options.pop(option) for option in _COMMON})
            raise typer.Exit(_ended(work, access, who, options))

        signature = inspect.signature(work, eval_str=True)
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in list(signature.parameters.values())[1:]]
        parameters = [*own, *_COMMON.values()]
        command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]  # read by inspect
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__doc__ = work.__doc__
        app.command(name or work.__name__.replace("_", "-"))(command)
        for alias in aliases:
            app.command(alias, hidden=True)(command)
        return work

    return register


def _ended(work: Work, access: Access, who: Who, options: dict[str, Any]) -> Exit:
    output = Output(as_json=access.json)
    try:
        asyncio.run(_run(Session(access, output, who), work, options))
    except MeshError as error:
        output.failure(error)
        if error.reason_name == "NOT_IMPLEMENTED":
            output.note("where services run apart, LLM_MESH_ADDRESS_<SERVICE> says where each of them is asked")
        return exit_code(error)
    except BrokenPipeError:  # the reader has enough, as `head` has
        sys.stderr.close()
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except (CommandError, EmptyKeyError, MissingKeyError, SettingsError, OSError) as error:
        output.error(_text(error))
        return _code(error)
    return Exit.DONE


def _text(error: Exception) -> str:
    """A file that cannot be used is named first, without the number of the system's error."""
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)


def _code(error: Exception) -> Exit:
    if isinstance(error, CommandError):
        return error.code
    return Exit.DENIED if isinstance(error, EmptyKeyError | MissingKeyError) else Exit.USAGE


async def _run(session: Session, work: Work, options: dict[str, Any]) -> None:
    import grpc  # noqa: PLC0415 (only what asks a mesh loads it)

    from llm_mesh_cli.unreachable import explained  # noqa: PLC0415 (likewise)
    from llm_mesh_runtime.peer_errors import from_rpc_error  # noqa: PLC0415 (likewise)

    try:
        await work(session, **options)
    except grpc.aio.AioRpcError as error:
        raise explained(from_rpc_error(error, peer=session.peer), session) from error
    finally:
        await session.close()
