"""What Anthropic's dialect complains about where it comes in frames of Amazon's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from llm_mesh_adapter_anthropic.provider.bedrock import unpacked

TEXTS: Mapping[str, Callable[[], object]] = {"frame": partial(unpacked, (b'{"bytes": "!"}', "chunk"))}
