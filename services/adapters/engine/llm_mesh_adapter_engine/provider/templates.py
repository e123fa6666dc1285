"""Chat templates, as the models' makers write them for transformers, in the sandbox of Jinja: they reach nothing and change nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

_LONGEST_REPEAT = 1_000_000
"""Characters or values that a template may make by repeating one."""
_LARGEST_POWER = 1_000
"""Base and exponent."""


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """Jinja's, in which no product and no power is larger than a prompt has use for: an engine writes the template, and is a stranger."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 (any values)
        """The product or power of two values."""
        sized = [each for each in (left, right) if hasattr(each, "__len__")]
        numbers = [each for each in (left, right) if isinstance(each, int)]
        most = _LONGEST_REPEAT if sized else _LARGEST_POWER if operator == "**" else math.inf
        if any(abs(each) * max([1, *map(len, sized)]) > most for each in numbers):
            raise SecurityError("a product or power without measure")
        return super().call_binop(context, operator, left, right)


class ChatTemplate:
    """One template. `special` are the special tokens that it may name, such as `bos_token`."""

    def __init__(self, text: str, special: Mapping[str, str]) -> None:
        environment = TemplateSandbox(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _now
        try:
            self._template = environment.from_string(text)
        except TemplateError as error:
            raise ValueError(f"its chat template is none: {error}") from None
        self._special = special

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], more: Mapping[str, Any]) -> str:
        """The prompt, up to where the model speaks. `ValueError` where the template refuses the conversation."""
        values = {**self._special, **more, "messages": messages, "tools": tools or None, "documents": None}
        try:
            return self._template.render(**values, add_generation_prompt=True)
        except SecurityError:
            raise ValueError("its chat template reaches for what it may not have") from None
        except (RecursionError, MemoryError):
            raise ValueError("its chat template has no end") from None
        except (TemplateError, TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
            raise ValueError(f"its chat template refuses the conversation: {error}") from None


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **more: Any) -> str:  # noqa: ANN401, FBT001, FBT002
    """As transformers has it: without the escapes of HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=more.get("separators"), sort_keys=more.get("sort_keys", False)
    )


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now(UTC).strftime(form)
