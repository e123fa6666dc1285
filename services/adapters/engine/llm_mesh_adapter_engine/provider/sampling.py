"""From a request in OpenAI's dialect to how an engine is to choose tokens, and what its text must follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from llm_mesh_adapter_engine.provider.wire.values import (
    CHOICE,
    GRAMMAR,
    JSON_OBJECT,
    JSON_SCHEMA,
    REGEX,
    STRUCTURAL_TAG,
    Constraint,
    Sampling,
)
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields

_NUMBERS: Final = ("temperature", "top_p", "min_p", "frequency_penalty", "presence_penalty", "repetition_penalty")
_GUIDED: Final[Mapping[str, str]] = {
    "guided_json": JSON_SCHEMA, "guided_regex": REGEX, "guided_grammar": GRAMMAR, "guided_choice": CHOICE,
}  # fmt: skip
_STRUCTURED: Final[Mapping[str, str]] = {
    "json": JSON_SCHEMA, "regex": REGEX, "grammar": GRAMMAR, "choice": CHOICE, "structural_tag": STRUCTURAL_TAG,
    "json_object": JSON_OBJECT,
}  # fmt: skip


def sampling_of(fields: Fields) -> Sampling:
    """How tokens are chosen. What is left in the fields afterwards no engine knows."""
    sampling = Sampling(
        top_k=fields.whole("top_k", 1),
        max_tokens=fields.whole("max_tokens", 0) or 0,
        min_tokens=fields.whole("min_tokens", 0),
        stop=fields.texts("stop"),
        stop_token_ids=_tokens(fields.raw("stop_token_ids")),
        ignore_eos=bool(fields.truth("ignore_eos")),
        candidates=fields.whole("n", 1) or 1,
        seed=_seed(fields),
        logit_bias={int(token): bias for token, bias in (fields.raw("logit_bias") or {}).items()},
    )
    for name in _NUMBERS:
        setattr(sampling, name, fields.number(name))
    top = fields.whole("top_logprobs", 0) or 0
    if fields.truth("logprobs"):
        sampling.logprobs = top
    sampling.constraint = _constraint(fields)
    return sampling


def _seed(fields: Fields) -> int | None:
    """Engines have seeds of 32 bits."""
    seed = fields.whole("seed")
    return None if seed is None else seed % 2**31


def _tokens(value: object) -> Sequence[int]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(type(each) is int and 0 <= each < 2**32 for each in value):
        raise DialectError("extras[openai.stop_token_ids]", "expected a list of tokens")
    return value


def _constraint(fields: Fields) -> Constraint | None:
    form = fields.inner("response_format")
    forms = [_formatted(form)] if form is not None else []
    forms += [_made(kind, value) for key, kind in _GUIDED.items() if (value := fields.raw(key)) is not None]
    inner = fields.inner("structured_outputs")
    if inner is not None:
        forms += [_made(kind, value) for key, kind in _STRUCTURED.items() if (value := inner.raw(key)) is not None]
    constraints = [each for each in forms if each is not None]
    if len(constraints) > 1:
        raise DialectError("response_format", "expected one form of the answer, not several")
    return constraints[0] if constraints else None


def _formatted(form: Fields) -> Constraint | None:
    kind = form.text("type")
    if kind == "json_object":
        return Constraint(JSON_OBJECT)
    if kind == "json_schema":
        inner = form.required("json_schema")
        return _made(JSON_SCHEMA, inner.raw("schema") or {"type": "object"})
    return None


def _made(kind: str, value: Any) -> Constraint | None:  # noqa: ANN401 (JSON)
    if kind == CHOICE:
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise DialectError("extras[openai.guided_choice]", "expected a list of strings")
        return Constraint(CHOICE, choices=value)
    if kind == JSON_OBJECT:
        return Constraint(JSON_OBJECT) if value else None
    return Constraint(kind, value if isinstance(value, str) else orjson.dumps(value).decode())
