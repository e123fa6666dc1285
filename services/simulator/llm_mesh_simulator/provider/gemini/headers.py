"""The headers of each answer."""

from llm_mesh_simulator.provider.reply import Headers


def headers(request: str) -> Headers:
    """Google names no request; the simulator does, as its log has it."""
    return [(b"x-request-id", request.encode()), (b"x-llm-mesh-simulator", b"gemini"), (b"server-timing", b"gfet4t7; dur=1")]
