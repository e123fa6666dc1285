"""The headers that OpenAI sends with each answer; the limits are constants, as nothing here is rationed."""

from typing import Final

from llm_mesh_simulator.provider.reply import Headers

_COMMON: Final[Headers] = [
    (b"openai-organization", b"llm-mesh-simulator"),
    (b"openai-version", b"2020-10-01"),
    (b"openai-processing-ms", b"1"),
    (b"x-llm-mesh-simulator", b"openai"),
    (b"x-ratelimit-limit-requests", b"10000"),
    (b"x-ratelimit-limit-tokens", b"2000000"),
]


def headers(request: str, *, tokens: int = 0, limited: bool = False) -> Headers:
    """The headers of one answer that took so many tokens, or that says that the limit is reached."""
    return [
        (b"x-request-id", request.encode()),
        *_COMMON,
        (b"x-ratelimit-remaining-requests", b"0" if limited else b"9999"),
        (b"x-ratelimit-remaining-tokens", b"0" if limited else str(max(0, 2_000_000 - tokens)).encode()),
        (b"x-ratelimit-reset-requests", b"1s" if limited else b"6ms"),
        (b"x-ratelimit-reset-tokens", b"1s" if limited else b"0s"),
    ]
