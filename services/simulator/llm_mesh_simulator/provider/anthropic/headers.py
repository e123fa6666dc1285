"""The headers that Anthropic sends with each answer; the limits are constants, as nothing here is rationed."""

import time
from typing import Final

from llm_mesh_simulator.provider.reply import Headers

_LIMITS: Final = {b"requests": 4000, b"tokens": 2_400_000, b"input-tokens": 2_000_000, b"output-tokens": 400_000}


def headers(request: str, *, tokens: int = 0, limited: bool = False) -> Headers:
    """The headers of one answer that took so many tokens, or that says that the limit is reached."""
    reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)).encode()
    made: Headers = [
        (b"request-id", request.encode()),
        (b"anthropic-organization-id", b"llm-mesh-simulator"),
        (b"x-llm-mesh-simulator", b"anthropic"),
    ]
    for name, limit in _LIMITS.items():
        left = 0 if limited else limit - 1 if name == b"requests" else max(0, limit - tokens)
        prefix = b"anthropic-ratelimit-" + name
        made += [(prefix + b"-limit", b"%d" % limit), (prefix + b"-remaining", b"%d" % left), (prefix + b"-reset", reset)]
    return made
