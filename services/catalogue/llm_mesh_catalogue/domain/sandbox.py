"""A small, safe part of the Jinja language: values, conditions, loops, a few filters; with limits of work and size.

Templates come from tenants and their variables from anyone, so nothing reaches Python objects, and nothing can take long or grow
large: the nodes that a template may have are listed, every turn of a loop is counted, and what builds text is bounded before it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

LARGEST_OUTPUT = 1024 * 1024
MOST_STEPS = 100_000
LONGEST_SECONDS = 1.0
_LONGEST_RANGE = 10_000
_MOST_FILTERS = 500
_LARGEST_BITS = 256

_NODES: frozenset[type[nodes.Node]] = frozenset(
    getattr(nodes, name)
    for name in (
        *("Template", "Output", "TemplateData", "Name", "Const", "If", "For", "CondExpr", "Compare", "Operand", "And", "Or", "Not"),
        *("Getattr", "Getitem", "Filter", "Test", "Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Neg", "Pos", "Concat"),
        *("List", "Tuple", "Dict", "Pair", "Assign", "Call", "Slice"),
    )
)
_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "depth"})


class LimitExceeded(Exception):
    """The rendering takes too long or gives too much."""


class Sandbox:
    """Compiles templates, and renders them."""

    def __init__(self) -> None:
        self._environment = _Environment()

    def compile(self, source: str) -> Template:
        """The template; TemplateSyntaxError where it is wrong or uses what is not allowed."""
        tree = _Guard().visit(self._environment.parse(source))
        code = self._environment.compile(tree)
        return self._environment.template_class.from_code(self._environment, code, dict(self._environment.globals), None)

    def render(self, template: Template, variables: Mapping[str, Any]) -> str:
        """The text. UndefinedError, TypeError and ValueError where the variables do not fit; LimitExceeded where it is too much."""
        meter = Meter()
        pieces = []
        for piece in template.generate({**variables, _METER: meter}):
            meter.grow(len(piece))
            pieces.append(piece)
        return "".join(pieces)


class Meter:
    """Counts the work of one rendering."""

    def __init__(self) -> None:
        self._steps = 0
        self._size = 0
        self._end = time.monotonic() + LONGEST_SECONDS

    def turns(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, each counted as a step."""
        for value in values:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise LimitExceeded(f"more than {MOST_STEPS} turns of loops")
            if time.monotonic() > self._end:
                raise LimitExceeded(f"more than {LONGEST_SECONDS:g} s")
            yield value

    def grow(self, size: int) -> None:
        """So much more is put out."""
        self._size += size
        if self._size > LARGEST_OUTPUT:
            raise LimitExceeded(f"more than {LARGEST_OUTPUT} characters of output")


_METER = "__meter"


class _Guard(NodeTransformer):
    """Refuses nodes that are not listed; counts turns of loops and bounds concatenation."""

    def __init__(self) -> None:
        self._filters = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the visitor declares it
        if type(node) not in _NODES:
            self._refuse(node, f"{type(node).__name__} is not allowed")
        return super().visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Every turn is a step."""
        if node.recursive:
            self._refuse(node, "recursive loops are not allowed")
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "counted", [nodes.Name(_METER, "load")], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Joined like a list, which is bounded."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """The only function is `range`."""
        if not isinstance(node.node, nodes.Name) or node.node.name != "range":
            self._refuse(node, "only range(…) can be called")
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._refuse(node, "range takes one to three numbers")
        return self.generic_visit(node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        """Names of the sandbox's own are not for templates."""
        if node.name.startswith("__"):
            self._refuse(node, f"{node.name} is not allowed")
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        """Only listed filters, and none of the sandbox's own."""
        if node.name not in _FILTERS or node.name == "counted":
            self._refuse(node, f"there is no filter {node.name}")
        self._filters += 1
        if self._filters > _MOST_FILTERS:
            self._refuse(node, f"more than {_MOST_FILTERS} filters")
        return self.generic_visit(node)

    def _refuse(self, node: nodes.Node, why: str) -> NoReturn:
        raise TemplateSyntaxError(why, getattr(node, "lineno", 1) or 1)


class _Environment(ImmutableSandboxedEnvironment):
    """The environment of prompts: plain text, strict about undefined variables."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True)
        self.filters = dict(_FILTERS)
        self.globals = {"range": _range}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - as Jinja declares it
        """Arithmetic is for numbers of a sane size; `+` also joins text and lists that stay small."""
        texts = isinstance(left, str) and isinstance(right, str)
        if operator == "+" and (texts or (isinstance(left, list) and isinstance(right, list))):
            _bound(len(left) + len(right))
            return left + right
        for value in (left, right):
            if not isinstance(value, (int, float)) or (isinstance(value, int) and value.bit_length() > _LARGEST_BITS):
                raise TypeError(f"{operator} takes numbers, not {type(value).__name__}")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - likewise
        """`a.b` means the item `b` of the mapping `a`, never a Python attribute; `loop` has its own."""
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - likewise
        """Items of mappings, lists and text."""
        if isinstance(obj, (dict, list, str, tuple)):
            try:
                return obj[argument]
            except (KeyError, IndexError, TypeError):
                return self.undefined(obj=obj, name=argument)
        return self.undefined(obj=obj, name=argument)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > _LONGEST_RANGE:
        raise LimitExceeded(f"a range of more than {_LONGEST_RANGE}")
    return made


def _bound(size: int) -> None:
    if size > LARGEST_OUTPUT:
        raise LimitExceeded(f"a value of more than {LARGEST_OUTPUT} characters")


def _text(value: Any) -> str:  # noqa: ANN401 - what templates hold
    if isinstance(value, StrictUndefined):
        raise UndefinedError(str(getattr(value, "_undefined_message", "undefined")))
    return value if isinstance(value, str) else str(value)


def _counted(values: Iterable[Any], meter: Meter) -> Iterator[Any]:
    return meter.turns(values)


def _join(values: Iterable[Any], separator: str = "") -> str:
    texts = [_text(value) for value in values]
    _bound(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(value: str, old: str, new: str) -> str:
    text = _text(value)
    _bound(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new)


def _tojson(value: Any) -> str:  # noqa: ANN401 - any JSON value
    import json  # noqa: PLC0415 - rarely used

    text = json.dumps(value, ensure_ascii=False)
    _bound(len(text))
    return text


_PLAIN = Environment(autoescape=False).filters  # noqa: S701 - only filters are taken; prompts are text, not HTML
_TAKEN = (
    *("abs", "capitalize", "count", "default", "d", "first", "float", "int", "items", "last", "length", "list", "lower", "max", "min"),
    *("round", "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper"),
)
_FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _PLAIN[name] for name in _TAKEN},
    "counted": _counted,
    "join": _join,
    "replace": _replace,
    "tojson": _tojson,
}
