"""The names of OpenTelemetry's conventions for calls to models (GenAI).

Source: `gen-ai-spans.md` and `gen-ai-metrics.md` (in development) as last published at https://opentelemetry.io/docs/specs/semconv/. GenAI
has since moved to https://github.com/open-telemetry/semantic-conventions-genai, whose unreleased text renames the metrics: following it
is a change of this module alone. Opt-in attributes with content (`gen_ai.input.messages`, `gen_ai.output.messages`,
`gen_ai.system_instructions`, `gen_ai.tool.call.arguments`) are left out on purpose.
"""

from __future__ import annotations

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 (tokens of text)

CLIENT_DURATION: Final = "gen_ai.client.operation.duration"
CLIENT_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
CLIENT_TOKENS: Final = "gen_ai.client.token.usage"

CHAT: Final = "chat"
EMBEDDINGS: Final = "embeddings"
INPUT: Final = "input"
OUTPUT: Final = "output"
