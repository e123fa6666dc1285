"""What the catalogue's child processes run: versions checked and rendered. `answer` is called with the parts of one call.

`check`, the schema, the templates: is this a version? `render`, the version's digest, the values: its texts; a child that has not seen the
version answers `unknown`, and is called again with the schema and the templates behind. `diff`, two names, two texts: how they differ. An
answer begins with a word: `ok`, or what is wrong.
"""

from __future__ import annotations

import difflib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from llm_mesh_catalogue.domain import language
from llm_mesh_catalogue.domain.engine import SyntaxFaultError, Templates, TooMuchError, UnfitError
from llm_mesh_catalogue.domain.schemas import SchemaFaultError
from llm_mesh_catalogue.domain.values import ValuesError, Variables

CHECK, RENDER, DIFF = b"check", b"render", b"diff"
OK, UNKNOWN = b"ok", b"unknown"
TEMPLATE, SCHEMA, VALUES, VARIABLE, LIMIT = b"template", b"schema", b"values", b"variable", b"limit"
_MOST_VERSIONS = 256
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class _Version:
    templates: Templates
    variables: Variables


class Program:
    """Answers calls, and keeps the versions that it has compiled."""

    def __init__(self) -> None:
        self._versions: OrderedDict[bytes, _Version] = OrderedDict()

    def answer(self, parts: Sequence[bytes]) -> list[bytes]:
        """The answer to one call."""
        word, *rest = parts
        try:
            if word == CHECK:
                return self._checked(rest)
            return _diff(rest) if word == DIFF else self._rendered(rest)
        except SchemaFaultError as error:
            return [SCHEMA, _text(error)]
        except ValuesError as error:
            return [VALUES, _text(error)]
        except UnfitError as error:
            return [VARIABLE, error.variable.encode(), _text(error)]
        except TooMuchError as error:
            return [LIMIT, _text(error)]

    def _checked(self, parts: Sequence[bytes]) -> list[bytes]:
        schema, *sources = (part.decode() for part in parts)
        Variables(schema)
        for number, source in enumerate(sources):
            try:
                language.check(source)
            except language.LanguageError as error:
                return [TEMPLATE, b"%d" % number, b"%d" % error.line, error.message.encode()]
        faults: dict[int, SyntaxFaultError] = Templates(list(sources)).faults
        for number, fault in sorted(faults.items()):
            return [TEMPLATE, b"%d" % number, b"%d" % fault.line, fault.message[:_LONGEST_MESSAGE].encode()]
        return [OK]

    def _rendered(self, parts: Sequence[bytes]) -> list[bytes]:
        digest, values, *content = parts
        version = self._versions.get(digest)
        if version is None:
            if not content:
                return [UNKNOWN]
            schema, *sources = (part.decode() for part in content)
            for number, source in enumerate(sources):
                try:
                    language.check(source)  # a version of an older release may have had more of the language
                except language.LanguageError as error:
                    return [TEMPLATE, b"%d" % number, b"%d" % error.line, error.message.encode()]
            version = self._versions[digest] = _Version(Templates(list(sources)), Variables(schema))
            if len(self._versions) > _MOST_VERSIONS:
                self._versions.popitem(last=False)
        else:
            self._versions.move_to_end(digest)
        for number, fault in sorted(version.templates.faults.items()):
            return [TEMPLATE, b"%d" % number, b"%d" % fault.line, fault.message[:_LONGEST_MESSAGE].encode()]
        return [OK, *(text.encode() for text in version.templates.render(version.variables.values(values.decode())))]


def _diff(parts: Sequence[bytes]) -> list[bytes]:
    name, other_name, before, after = (part.decode() for part in parts)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, other_name, lineterm="")
    return [OK, "\n".join(lines).encode()]


def _text(error: Exception) -> bytes:
    return str(error)[:_LONGEST_MESSAGE].encode(errors="replace")


def answer(parts: Sequence[bytes]) -> list[bytes]:
    """One call of a child, which is a process of its own."""
    return _PROGRAM.answer(parts)


def prepare() -> None:
    """Take each way once, so that everything is loaded that the engine and the validator load when they first need it."""
    schema = {
        "type": "object",
        "properties": {"x": {"type": "string", "format": "date", "uniqueItems": True, "enum": ["a"]}},
        "required": ["x"],
    }
    program, text = Program(), json.dumps(schema).encode()
    for template in (b"{{ x }}", b"{{ y }}", b"{{ x", b"{{ 1 / 0 }}", b"{{ x - 1 }}", b"{{ 'x' * 99999999 }}", b"{{ x | round }}"):
        for values in (b'{"x": "a"}', b'{"x": 7}', b'{"x": "b"}', b"{}", b"{", b'{"z": 1}'):
            program.answer([RENDER, template, values, text, template])
        program.answer([CHECK, text, template])
    program.answer([CHECK, b'{"type": "object", "properties": 7}', b""])
    program.answer([DIFF, b"a", b"b", b"one", b"two"])


_PROGRAM = Program()
