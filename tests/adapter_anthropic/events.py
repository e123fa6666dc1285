"""Server-sent events of the dialect, put together again as its SDKs do."""

import copy
from typing import Any

import orjson

JSON = dict[str, Any]
_APPENDED = {"text_delta": "text", "thinking_delta": "thinking"}


def frames(data: bytes) -> list[JSON]:
    """The events; each is named twice."""
    found = []
    for frame in data.decode().split("\n\n")[:-1]:
        name, payload = frame.split("\n")
        found.append(orjson.loads(payload.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def assembled(events: list[JSON]) -> JSON:
    """The message that they tell. Blocks follow one another and do not overlap."""
    assert [events[0]["type"], events[-1]["type"]] == ["message_start", "message_stop"]
    message = copy.deepcopy(events[0]["message"])
    inputs: dict[int, str] = {}
    begun = -1
    for event in events[1:-1]:
        kind = event["type"]
        if kind == "content_block_start":
            assert begun == -1
            begun = event["index"]
            assert begun == len(message["content"])
            message["content"].append(copy.deepcopy(event["content_block"]))
        elif kind == "content_block_delta":
            assert event["index"] == begun
            _add(message["content"][begun], event["delta"], inputs, begun)
        elif kind == "content_block_stop":
            assert event["index"] == begun
            begun = -1
        elif kind == "message_delta":
            assert begun == -1
            message |= event["delta"]
            message["usage"] |= event["usage"]
    for index, json in inputs.items():
        message["content"][index]["input"] = orjson.loads(json)
    return message  # type: ignore[no-any-return] # JSON


def _add(block: JSON, delta: JSON, inputs: dict[int, str], index: int) -> None:
    kind = delta["type"]
    if kind in _APPENDED:
        block[_APPENDED[kind]] += delta[_APPENDED[kind]]
    elif kind == "signature_delta":
        block["signature"] = delta["signature"]
    elif kind == "citations_delta":
        block.setdefault("citations", []).append(delta["citation"])
    else:
        inputs[index] = inputs.get(index, "") + delta["partial_json"]
