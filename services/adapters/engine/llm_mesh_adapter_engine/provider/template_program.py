"""What child processes run for chat templates: `answer` is called with the parts of one call.

`check`, the template: can it be compiled? `render`, the template's digest, the values, the most bytes of the text: the text; a child that
has not seen the template answers `unknown`, and is called again with the template behind. Only child processes import this.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import orjson
from jinja2 import Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llm_mesh_adapter_engine.provider.template_words import CHECK, LONG, OK, REACHES, REFUSES, UNKNOWN, WRONG

_MOST_TEMPLATES: Final = 64
_LONGEST_MESSAGE: Final = 300


class TemplateProgram:
    """Answers calls, and keeps the templates that it has compiled."""

    def __init__(self) -> None:
        self._templates: OrderedDict[bytes, Template] = OrderedDict()

    def answer(self, parts: Sequence[bytes]) -> list[bytes]:
        """The answer to one call."""
        word, *rest = parts
        if word == CHECK:
            made = _compiled(rest[0])
            return [OK] if isinstance(made, Template) else [WRONG, made]
        digest, values, most, *source = rest
        template = self._templates.get(digest)
        if template is None:
            if not source:
                return [UNKNOWN]
            made = _compiled(source[0])
            if not isinstance(made, Template):
                return [WRONG, made]
            template = self._keep(digest, made)
        return _rendered(template, orjson.loads(values), int(most))

    def _keep(self, digest: bytes, template: Template) -> Template:
        if len(self._templates) >= _MOST_TEMPLATES:
            self._templates.popitem(last=False)
        self._templates[digest] = template
        return template


def _compiled(source: bytes) -> Template | bytes:
    """The template, or why it is none."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _now
    try:
        return environment.from_string(source.decode())
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 - compiling runs parts of a template, which may raise anything
        return _words(error)


def _rendered(template: Template, values: dict[str, Any], most: int) -> list[bytes]:
    pieces, size = list[bytes](), 0
    try:
        for piece in template.generate(**values):
            pieces.append(piece.encode())
            size += len(pieces[-1])
            if size > most:
                return [LONG]
    except SecurityError:
        return [REACHES]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 - a template may raise anything
        return [REFUSES, _words(error)]
    return [OK, *pieces] if len(pieces) == 1 else [OK, b"".join(pieces)]


def _words(error: Exception) -> bytes:
    return str(error)[:_LONGEST_MESSAGE].encode(errors="replace")


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **more: Any) -> str:  # noqa: ANN401, FBT001, FBT002
    """As transformers has it: without the escapes of HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=more.get("separators"), sort_keys=more.get("sort_keys", False)
    )


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now(UTC).strftime(form)


def prepare() -> None:
    """Load what Jinja loads late: a child opens no files."""
    _rendered(_sample(b"{{ messages[0].content | tojson }}{{ strftime_now('%d') }}"), {"messages": [{"content": ""}]}, 100)
    _rendered(_sample(b"{{ raise_exception('') }}"), {}, 100)


def _sample(source: bytes) -> Template:
    made = _compiled(source)
    assert isinstance(made, Template)  # noqa: S101 - it is ours
    return made


answer = TemplateProgram().answer
