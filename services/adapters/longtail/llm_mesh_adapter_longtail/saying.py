"""What of a request goes to a library: arguments that it has, by name. The rest stays here, and is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import extra_not_allowed, media_address_not_allowed
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")
CHAT: Final = frozenset(
    {
        "messages", "temperature", "top_p", "n", "stream", "stream_options", "stop", "max_tokens", "presence_penalty", "frequency_penalty",
        "logit_bias", "user", "response_format", "seed", "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs",
        "reasoning_effort",
    }
)  # fmt: skip
"""Arguments of a chat that both libraries have. A library takes many more, that choose other addresses, keys, models and repetitions."""
EMBEDDING: Final = frozenset({"input", "dimensions", "user"})
RERANKING: Final = frozenset({"query", "documents", "top_n"})
_NOTE: Final = "it is no argument that a library is given"


def written(
    operation: str, provider: str, model: str, body: dict[str, Any], names: frozenset[str], report: list[generate_pb2.Translation]
) -> bytes:
    """A call as the library's process reads it: what is called, and the arguments. What is no argument of the library is reported."""
    dropped = generate_pb2.TRANSLATION_ACTION_DROPPED
    left = sorted(body.keys() - names - {"model"})
    report += [generate_pb2.Translation(field=f"extras[{name}]", action=dropped, note=_NOTE) for name in left]
    arguments = {name: value for name, value in body.items() if name in names}
    return orjson.dumps({"operation": operation, "provider": provider, "model": model}) + b"\n" + orjson.dumps(arguments)


def allowance_of(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    return Allowance(endpoint.extras, MediaRule(endpoint.media)) if endpoint.extras or endpoint.media else NOTHING_MORE


def sayable(translate: Callable[[], T]) -> T:
    """A translation of a request; what the dialect cannot say is the caller's mistake."""
    try:
        return translate()
    except CostlyError as error:
        raise extra_not_allowed(f"input.{error.field}", error.name, error.expected) from None
    except MediaAddressError as error:
        raise media_address_not_allowed(f"input.{error.field}", error.expected) from None
    except DialectError as error:
        raise invalid(f"input.{error.field}", error.expected, sent="false") from None
