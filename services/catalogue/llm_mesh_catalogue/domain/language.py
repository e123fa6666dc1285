"""Which part of the Jinja language templates may use, and how large one tag may be.

It reads tags as the engine does, and refuses what the engine would understand but prompts do not need: includes, macros, calls. It is no
guard for the process: that is `confined`. It keeps the language small, the same from version to version of the engine, and its mistakes
told when a version is made rather than when it is rendered. Bounds on one tag keep the engine's parser from running out of its stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn

FILTERS: Final = frozenset(
    {"abs", "capitalize", "count", "d", "default", "first", "float", "int", "items", "join", "last", "length", "list", "lower", "max"}
    | {"min", "replace", "round", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper"}
)
TESTS: Final = frozenset(
    {"boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "greaterthan", "gt", "in", "integer", "iterable"}
    | {"le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sameas", "sequence", "string", "true", "undefined"}
    | {"upper"}
)
_TAGS: Final = frozenset({"if", "elif", "else", "endif", "for", "endfor", "set", "raw"})
_WORDS: Final = frozenset({"if", "elif", "else", "for", "in", "is", "not", "and", "or", "set"})
"""Words after which a parenthesis groups and does not call."""
_MOST_TOKENS: Final = 400
_MOST_FILTERS: Final = 500
_MOST_BRANCHES: Final = 200
_MOST_RANGE: Final = 3
_BEGIN: Final = re.compile(r"\{[{%#]")
_TOKEN: Final = re.compile(
    r"""\s+|(?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)"""
    r"""|(?P<end>[-+]?(?:%\}|\}\}))|(?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%~<>=()\[\]{},.:|])""",
    re.DOTALL,
)
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_ENDRAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")


class LanguageError(Exception):
    """A template that is not of the language."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Token(NamedTuple):
    kind: str
    text: str


def is_constant(source: str) -> bool:
    """Whether the template is its own text."""
    return _BEGIN.search(source) is None


def check(source: str) -> None:
    """Raise `LanguageError` where the template uses what the language has not, or too much of it."""
    filters = branches = 0
    position = 0
    while (begin := _BEGIN.search(source, position)) is not None:
        opening = begin.group()
        if opening == "{#":
            position = _after_comment(source, begin.end())
            continue
        tag = _Tag(source, begin, opening)
        tokens, position = tag.read()
        if opening == "{%":
            tag.check_statement(tokens)
            branches += tokens[0].text == "elif"
            if tokens[0].text == "raw":
                position = _after_raw(source, position)
                continue
        filters += tag.check(tokens)
        if filters > _MOST_FILTERS:
            tag.refuse(f"at most {_MOST_FILTERS} filters in a template")
        if branches > _MOST_BRANCHES:
            tag.refuse(f"at most {_MOST_BRANCHES} `elif` in a template")


def _after_comment(source: str, position: int) -> int:
    end = source.find("#}", position)
    if end < 0:
        raise LanguageError(_line(source, position), "the comment has no end")
    return end + 2


def _after_raw(source: str, position: int) -> int:
    end = _ENDRAW.search(source, position)
    if end is None:
        raise LanguageError(_line(source, position), "raw has no endraw")
    return end.end()


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


class _Tag:
    """One tag of a template."""

    def __init__(self, source: str, begin: re.Match[str], opening: str) -> None:
        self._source = source
        self._begin = begin
        self._closing = "}}" if opening == "{{" else "%}"

    def refuse(self, why: str) -> NoReturn:
        """Refuse the tag."""
        raise LanguageError(_line(self._source, self._begin.start()), why)

    def read(self) -> tuple[list[_Token], int]:
        """The tokens of the tag, and where it ends."""
        tokens: list[_Token] = []
        depth = 0
        position = self._begin.end()
        if self._source[position : position + 1] in {"-", "+"}:
            position += 1
        while True:
            token_match = _TOKEN.match(self._source, position)
            if token_match is None:
                self.refuse("the tag has no end" if position >= len(self._source) else "a character that has no meaning in a tag")
            kind, text = token_match.lastgroup, token_match.group()
            if kind == "end" and (depth or not text.endswith(self._closing)):
                kind, text = "operator", text[0]  # braces of a mapping, or an operator before them
            position += len(text)
            if kind == "end":
                return tokens, position
            if kind is None:
                continue
            depth += (text in _OPENING) - (text in _CLOSING) if kind == "operator" else 0
            tokens.append(_Token(kind, text))
            if len(tokens) > _MOST_TOKENS:
                self.refuse(f"at most {_MOST_TOKENS} words and signs in one tag")

    def check_statement(self, tokens: list[_Token]) -> None:
        """Which statement it is, and in which of its forms."""
        word = tokens[0].text if tokens else ""
        if word not in _TAGS:
            self.refuse(f"there is no {{% {word} %}}: only if, for, set and raw")
        if word == "set" and (
            _Token("operator", "=") not in tokens or _Token("operator", ".") in tokens[: tokens.index(_Token("operator", "="))]
        ):
            self.refuse("set must be of the form {% set name = value %}")
        if word == "for" and tokens[-1] == _Token("name", "recursive"):
            self.refuse("recursive loops are not allowed")

    def check(self, tokens: list[_Token]) -> int:
        """Filters, tests, calls and operators. Answers how many filters there are."""
        filters = 0
        named: set[int] = set()
        for index, token in enumerate(tokens):
            following = tokens[index + 1] if index + 1 < len(tokens) else _Token("", "")
            if token.kind == "name":
                self._check_name(token.text)
                if token.text == "is" and not _is_attribute(tokens, index):
                    named.add(self._test(tokens, index))
            elif token.kind == "operator":
                if token.text == "|":
                    filters += 1
                    named.add(index + 1)
                    if following.text not in FILTERS:
                        self.refuse(f"there is no filter {following.text}")
                elif token.text == "(":
                    self._check_call(tokens, index, named)
                elif token.text == "**":
                    self.refuse("there is no operator **")
                elif token.text == "*" and (index == 0 or tokens[index - 1].text in {"(", ","}):
                    self.refuse("arguments cannot be unpacked")
        return filters

    def _check_name(self, name: str) -> None:
        if name.startswith("__"):
            self.refuse(f"{name} is not allowed")

    def _test(self, tokens: list[_Token], index: int) -> int:
        place = index + 1
        if place < len(tokens) and tokens[place].text == "not":
            place += 1
        name = tokens[place].text if place < len(tokens) else ""
        if name not in TESTS:
            self.refuse(f"there is no test {name}")
        return place

    def _check_call(self, tokens: list[_Token], index: int, named: set[int]) -> None:
        if index == 0 or (index - 1) in named:
            return  # a group, or the arguments of a filter or test
        before = tokens[index - 1]
        if before.kind == "operator" and before.text not in _CLOSING:
            return
        if before.kind == "name" and before.text in _WORDS and not _is_attribute(tokens, index - 1):
            return
        if before != _Token("name", "range") or _is_attribute(tokens, index - 1):
            self.refuse("only range(…) can be called")
        inside = list(_arguments(tokens, index))
        if _Token("operator", "=") in inside or inside.count(_Token("operator", ",")) >= _MOST_RANGE:
            self.refuse("range takes one to three numbers")


def _is_attribute(tokens: list[_Token], index: int) -> bool:
    """Whether the name at the place follows a dot."""
    return index > 0 and tokens[index - 1] == _Token("operator", ".")


def _arguments(tokens: list[_Token], index: int) -> Iterator[_Token]:
    """The tokens right within the parentheses that begin at the place."""
    depth = 0
    for token in tokens[index:]:
        if token.kind == "operator":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 1:
            yield token
        if depth == 0:
            return
