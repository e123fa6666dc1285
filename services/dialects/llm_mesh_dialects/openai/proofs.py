"""Proofs of thinking that stand at tool calls, as Google's endpoint in this dialect has them: clients that keep the call keep its proof.

`extra_content.google.thought_signature` of a tool call carries a marked proof to the client and back. One without a mark is of a provider
that speaks this dialect itself, and stays where it is.
"""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import dumped, parsed
from llm_mesh_dialects.proofs import proof_of

_KEY: Final = "extra_content"


def put_proof(call: dict[str, Any], signature: str) -> None:
    """Writes the proof of the reasoning before a tool call to the call."""
    call.setdefault(_KEY, {}).setdefault("google", {})["thought_signature"] = signature


def of_next_call(signature: str) -> bool:
    """Whether a proof belongs to the tool call that follows."""
    proof = proof_of(signature)
    return proof is not None and proof.place == "n"


def with_proof(call: content_pb2.Part) -> list[content_pb2.Part]:
    """A tool call of a client, after the reasoning whose proof came at it."""
    if not call.extras:
        return [call]
    for index, extra in enumerate(call.extras):
        signature = _signature(parsed(extra.json)) if extra.key == _KEY else ""
        if signature:
            rest = _without(parsed(extra.json))
            if rest:
                extra.json = dumped(rest)
            else:
                del call.extras[index]
            return [content_pb2.Part(reasoning=content_pb2.Reasoning(signature=signature)), call]
    return [call]


def _signature(content: Any) -> str:  # noqa: ANN401 (JSON)
    google = content.get("google") if isinstance(content, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) and proof_of(signature) is not None else ""


def _without(content: dict[str, Any]) -> dict[str, Any]:
    google = {key: value for key, value in content["google"].items() if key != "thought_signature"}
    return {**{key: value for key, value in content.items() if key != "google"}, **({"google": google} if google else {})}
