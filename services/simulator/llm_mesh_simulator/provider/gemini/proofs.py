"""Thought signatures: what proves that a part came from this model of this simulator, and who has to send it back."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

import orjson

from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

PLACEHOLDERS: Final = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""What the real provider takes for calls that it did not make."""
_KEY: Final = "thoughtSignature"


def of_call(model: str, name: str, arguments: object) -> str:
    """The signature of a function call."""
    return _signed(model, name, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode())


def of_text(model: str, text: str) -> str:
    """The signature of a text that came after thoughts."""
    return _signed(model, "", text)


def check(model: str, contents: list[tuple[str, list[RequestFields]]]) -> None:
    """Refuses a call of the current turn without its signature, and a signature of another model or call."""
    for number in range(len(contents) - 1, -1, -1):
        role, parts = contents[number]
        if role == "model":
            _check_turn(model, number, parts)
        elif any(part.values.get("functionResponse") is None for part in parts):
            return


def _check_turn(model: str, number: int, parts: list[RequestFields]) -> None:
    calls = [(place, part) for place, part in enumerate(parts) if isinstance(part.values.get("functionCall"), dict)]
    for order, (place, part) in enumerate(calls):
        call = part.member("functionCall")
        signature = part.text_or(_KEY)
        at = f"contents[{number}].parts[{place}]"
        if call is not None and order == 0 and signature is None:
            name = call.text("name")
            message = f"Function call is missing a thought_signature in functionCall parts. Function `{name}`, position {at}."
            raise RefusedError(message, param=at)
        if call is None or signature is None or signature in PLACEHOLDERS:
            continue
        if _standard(signature) != of_call(model, call.text("name"), call.values.get("args") or {}):
            raise RefusedError("Thought signature is not valid.", param=at)


def _standard(signature: str) -> str:
    """Bytes in JSON may be written in either alphabet of base64: the official client writes the other one."""
    return signature.replace("-", "+").replace("_", "/")


def _signed(model: str, *texts: str) -> str:
    script = model.partition("/")[0]
    return b64encode(sha256("\0".join((script, *texts)).encode()).digest() * 2).decode()
