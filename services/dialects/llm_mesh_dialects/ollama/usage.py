"""What a server counted: tokens of the prompt that it evaluated, and tokens that it made."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.loose import loose_count

COUNTS: Final = frozenset({"prompt_eval_count", "eval_count"})


def read_usage(answer: dict[str, Any]) -> generate_pb2.Usage | None:
    """None where the server counted nothing. A prompt that was evaluated before has no count: the mesh counts it then."""
    read, made = loose_count(answer.get("prompt_eval_count")), loose_count(answer.get("eval_count"))
    if read is None and made is None:
        return None
    return generate_pb2.Usage(input_tokens=read or 0, output_tokens=made or 0)
