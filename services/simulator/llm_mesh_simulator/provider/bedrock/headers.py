"""The headers that Bedrock sends with each answer."""

from llm_mesh_simulator.provider.reply import Headers


def headers(request: str) -> Headers:
    """The headers of one answer."""
    return [(b"x-amzn-requestid", request.encode()), (b"x-llm-mesh-simulator", b"bedrock")]


def counts(prompt: int, completion: int) -> Headers:
    """What an invoked model used, which its own answer need not say."""
    return [
        (b"x-amzn-bedrock-input-token-count", b"%d" % prompt),
        (b"x-amzn-bedrock-output-token-count", b"%d" % completion),
    ]
