"""Rendering versions of prompts. Templates and schemas are their tenants' programs: they run in child processes, never here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

from llm_mesh.catalogue.v1 import catalogue_pb2, errors_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_catalogue.domain import program
from llm_mesh_catalogue.domain.errors import CatalogueError
from llm_mesh_catalogue.domain.language import is_constant
from llm_mesh_runtime.confined.limits import LimitReachedError
from llm_mesh_runtime.errors import invalid

_MOST_MESSAGES = 64
_LARGEST_TEMPLATE = 64 * 1024
_LARGEST_VERSION = 1024 * 1024
_LARGEST_SCHEMA = 64 * 1024
_LARGEST_VALUES = 1024 * 1024
_ROLES = frozenset({content_pb2.ROLE_SYSTEM, content_pb2.ROLE_DEVELOPER, content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT})
_NOTHING = frozenset({"", "{}"})
_LIMITS: Mapping[str, str] = {
    "steps": "the templates take more steps than one rendering may",
    "output": "the rendering gives more than 1 MiB",
    "cpu": "the rendering takes more CPU time than it may",
    "time": "the rendering was not done in time",
    "memory": "the rendering takes more memory than it may",
    "depth": "the templates or values are nested too deeply",
}


class RenderingEngine(Protocol):
    """Runs `domain.program` where it can do no harm, and shares the work fairly among domains."""

    async def run(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        """The program's answer. Raises `LimitReachedError`, or OVERLOADED where too much of the domain waits."""


class Renderer:
    """Checks versions before they are kept, and renders them."""

    def __init__(self, engine: RenderingEngine) -> None:
        self._engine = engine

    async def check(self, domain: str, version: catalogue_pb2.PromptVersion, field: str = "version") -> None:
        """Return where the version can be kept; TEMPLATE_INVALID or SCHEMA_INVALID where it cannot be rendered."""
        _check_sizes(version, field)
        if _is_constant(version):
            return
        word, *rest = await self._run(domain, [program.CHECK, *_content(version)])
        if word != program.OK:
            _refuse(word, rest, field)

    async def render(self, domain: str, version: catalogue_pb2.PromptVersion, variables_json: str) -> list[content_pb2.Message]:
        """The messages with the values in place. `domain` is the one whose request it is."""
        if len(variables_json.encode()) > _LARGEST_VALUES:
            raise invalid("variables_json", f"must be at most {_LARGEST_VALUES} bytes")
        if variables_json.strip() in _NOTHING and _is_constant(version):
            return _messages(version, [message.template for message in version.messages])
        call = [program.RENDER, version.digest, variables_json.encode()]
        word, *rest = await self._run(domain, call)
        if word == program.UNKNOWN:
            word, *rest = await self._run(domain, [*call, *_content(version)])
        if word != program.OK:
            _refuse(word, rest, "version")
        return _messages(version, [text.decode() for text in rest])

    async def diff(self, domain: str, before: str, after: str, names: tuple[str, str]) -> str:
        """How two texts differ, as a unified diff. Comparing long texts may take for ever, so it is done like rendering."""
        word, *rest = await self._run(domain, [program.DIFF, *(text.encode() for text in (*names, before, after))])
        if word != program.OK:
            _refuse(word, rest, "version")
        return rest[0].decode()

    async def _run(self, domain: str, parts: Sequence[bytes]) -> list[bytes]:
        try:
            return await self._engine.run(domain, parts)
        except LimitReachedError as error:
            raise _limit_exceeded(error.limit) from error


def _check_sizes(version: catalogue_pb2.PromptVersion, field: str) -> None:
    if not 1 <= len(version.messages) <= _MOST_MESSAGES:
        raise invalid(f"{field}.messages", f"must be 1 to {_MOST_MESSAGES} messages")
    whole = 0
    for index, message in enumerate(version.messages):
        place = f"{field}.messages[{index}]"
        if message.role not in _ROLES:
            raise invalid(f"{place}.role", "must be system, developer, user or assistant")
        size = len(message.template.encode())
        if size > _LARGEST_TEMPLATE:
            raise invalid(f"{place}.template", f"must be at most {_LARGEST_TEMPLATE} bytes")
        whole += size
    if whole > _LARGEST_VERSION:
        raise invalid(f"{field}.messages", f"must be at most {_LARGEST_VERSION} bytes together")
    if len(version.variables_schema_json.encode()) > _LARGEST_SCHEMA:
        raise invalid(f"{field}.variables_schema_json", f"must be at most {_LARGEST_SCHEMA} bytes")


def _is_constant(version: catalogue_pb2.PromptVersion) -> bool:
    """Whether there is nothing to compile."""
    return not version.variables_schema_json and all(is_constant(message.template) for message in version.messages)


def _content(version: catalogue_pb2.PromptVersion) -> list[bytes]:
    return [version.variables_schema_json.encode(), *(message.template.encode() for message in version.messages)]


def _messages(version: catalogue_pb2.PromptVersion, texts: Sequence[str]) -> list[content_pb2.Message]:
    return [
        content_pb2.Message(role=message.role, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])
        for message, text in zip(version.messages, texts, strict=True)
    ]


def _refuse(word: bytes, rest: Sequence[bytes], field: str) -> NoReturn:
    """What the program found wrong, as an error with the field of the request."""
    messages = [part.decode(errors="replace") for part in rest]
    if word == program.TEMPLATE:
        number, line, message = messages
        place = f"{field}.messages[{number}].template"
        raise CatalogueError(errors_pb2.ERROR_REASON_TEMPLATE_INVALID, f"line {line}: {message}", field=place, line=line)
    if word == program.SCHEMA:
        message = f"the schema of the variables: {messages[0]}"
        raise CatalogueError(errors_pb2.ERROR_REASON_SCHEMA_INVALID, message, field=f"{field}.variables_schema_json")
    if word == program.VARIABLE:
        raise _variable_invalid(*messages)
    if word == program.LIMIT:
        raise _limit_exceeded(messages[0])
    raise invalid("variables_json", messages[0])


def _variable_invalid(name: str, why: str) -> CatalogueError:
    message = f"variable {name}: {why}" if name else f"the template cannot use the values: {why}"
    field = f"prompt.variables.{name}" if name else "prompt.variables"
    return CatalogueError(errors_pb2.ERROR_REASON_VARIABLE_INVALID, message, field=field, variable=name)


def _limit_exceeded(limit: str) -> CatalogueError:
    message = _LIMITS.get(limit, "the rendering takes more than it may")
    return CatalogueError(errors_pb2.ERROR_REASON_RENDER_LIMIT_EXCEEDED, message, limit=limit)
