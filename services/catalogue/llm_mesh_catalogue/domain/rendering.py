"""Rendering versions of prompts. Compiled versions are kept: a version never changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Template, TemplateSyntaxError, UndefinedError
from jsonschema import Draft202012Validator

from llm_mesh.catalogue.v1 import catalogue_pb2, errors_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_catalogue.domain.errors import CatalogueError
from llm_mesh_catalogue.domain.sandbox import LimitExceeded, Sandbox
from llm_mesh_catalogue.domain.variables import validator_of, values_of, variable_invalid
from llm_mesh_runtime.errors import invalid

_MOST_MESSAGES = 64
_LARGEST_TEMPLATE = 64 * 1024
_KEPT = 1_000
_ROLES = frozenset({content_pb2.ROLE_SYSTEM, content_pb2.ROLE_DEVELOPER, content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT})
_QUICK = 8 * 1024


@dataclass(frozen=True, slots=True)
class Compiled:
    """A version that can be rendered."""

    messages: Sequence[tuple[content_pb2.Role, Template]]
    validator: Draft202012Validator | None
    quick: bool
    """It renders in well under a millisecond whatever the variables: no loops."""


class Renderer:
    """Compiles versions once, and renders them."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()
        self._kept: OrderedDict[str, Compiled] = OrderedDict()

    def compile(self, version: catalogue_pb2.PromptVersion, field: str = "version") -> Compiled:
        """The version, ready; TEMPLATE_INVALID or SCHEMA_INVALID where it cannot be."""
        if not 1 <= len(version.messages) <= _MOST_MESSAGES:
            raise invalid(f"{field}.messages", f"must be 1 to {_MOST_MESSAGES} messages")
        messages = []
        for index, message in enumerate(version.messages):
            place = f"{field}.messages[{index}]"
            if message.role not in _ROLES:
                raise invalid(f"{place}.role", "must be system, developer, user or assistant")
            if len(message.template.encode()) > _LARGEST_TEMPLATE:
                raise invalid(f"{place}.template", f"must be at most {_LARGEST_TEMPLATE} bytes")
            messages.append((message.role, self._compiled(message.template, f"{place}.template")))
        source = "".join(message.template for message in version.messages)
        validator = validator_of(version.variables_schema_json, f"{field}.variables_schema_json")
        return Compiled(messages, validator, quick="for" not in source and len(source) < _QUICK)

    async def render(self, version: catalogue_pb2.PromptVersion, variables_json: str) -> list[content_pb2.Message]:
        """The messages with the values in place. What may take long leaves the event loop."""
        compiled = self._kept.get(version.name)
        if compiled is None:
            compiled = self._kept[version.name] = self.compile(version)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if compiled.quick and len(variables_json) < _QUICK:
            return self._render(compiled, variables_json)
        return await asyncio.to_thread(self._render, compiled, variables_json)

    def _render(self, compiled: Compiled, variables_json: str) -> list[content_pb2.Message]:
        values = values_of(variables_json, compiled.validator)
        messages = []
        for role, template in compiled.messages:
            text = self._filled(template, values)
            messages.append(content_pb2.Message(role=role, parts=[content_pb2.Part(text=content_pb2.Text(text=text))]))
        return messages

    def _filled(self, template: Template, values: Mapping[str, Any]) -> str:
        try:
            return self._sandbox.render(template, values)
        except LimitExceeded as error:
            raise CatalogueError(errors_pb2.ERROR_REASON_RENDER_LIMIT_EXCEEDED, f"rendering: {error}") from error
        except UndefinedError as error:
            raise variable_invalid(_name_in(str(error)), "the template needs it") from error
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            raise variable_invalid("", f"the template cannot use the values: {str(error)[:200]}") from error

    def _compiled(self, source: str, field: str) -> Template:
        try:
            return self._sandbox.compile(source)
        except TemplateSyntaxError as error:
            message = f"line {error.lineno}: {error.message}"
            raise CatalogueError(errors_pb2.ERROR_REASON_TEMPLATE_INVALID, message, field=field, line=str(error.lineno)) from error
        except RecursionError as error:
            raise CatalogueError(errors_pb2.ERROR_REASON_TEMPLATE_INVALID, "it is nested too deeply", field=field) from error


def _name_in(message: str) -> str:
    """The variable that Jinja's message names between quotes."""
    parts = message.split("'")
    return parts[-2] if len(parts) > 2 else ""  # noqa: PLR2004 - text, name, text
