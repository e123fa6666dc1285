"""Bodies of Google's dialect as clients and providers write them, drawn in the form in which the mesh writes them as well."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import strategies as st

from llm_mesh_dialects.proofs import ProofOrigin

ORIGIN = ProofOrigin("gemini", b"secret", "here")
TEXTS = st.text(min_size=1, max_size=12)
NAMES = st.sampled_from(["get_weather", "get_time", "look"])
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc_Z", min_size=1, max_size=4), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.text("abc_Z", min_size=1, max_size=4), JSON, max_size=3)
SCHEMAS = st.builds(lambda properties: {"type": "object", "properties": properties}, OBJECTS)


def proof(place: str, text: str = "c2ln") -> str:
    """A proof as a client has it, of where the requests of these tests go."""
    return b64encode(ORIGIN.marked(f"{place}:{text}").encode()).decode()


def optional(**fields: Any) -> Any:
    """An object with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


TEXT = st.builds(lambda text, more: {"text": text, **more}, TEXTS, optional(partMetadata=OBJECTS))
KINDS = st.sampled_from(["image/png", "audio/wav", "video/mp4"])
INLINE = st.builds(lambda data, kind: {"inlineData": {"data": b64encode(data).decode(), "mimeType": kind}}, st.binary(max_size=9), KINDS)
MEDIUM = st.one_of(
    INLINE,
    st.just({"fileData": {"fileUri": "https://example.com/a.png", "mimeType": "image/png"}}),
    st.just({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc-1", "mimeType": "application/pdf"}}),
)
OPAQUE = st.sampled_from([{"executableCode": {"code": "1+1", "language": "PYTHON"}}, {"codeExecutionResult": {"output": "2"}}])
RESPONSES = st.one_of(
    st.builds(lambda text: {"output": text}, TEXTS.filter(lambda text: not text.lstrip().startswith("{"))),
    st.builds(lambda text: {"error": text}, TEXTS),
    OBJECTS.filter(lambda value: value.keys() not in ({"output"}, {"error"})),
)


@st.composite
def turns(draw: Any) -> list[dict[str, Any]]:
    """A conversation: each call has its response in the turn after, by its id or by its name alone."""
    contents: list[dict[str, Any]] = []
    waiting: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        results = [{"functionResponse": {**call, "response": draw(RESPONSES)}} for call in waiting]
        contents.append({"role": "user", "parts": [*results, *draw(st.lists(TEXT | MEDIUM | OPAQUE, min_size=not results, max_size=3))]})
        calls = draw(st.lists(NAMES, max_size=2))
        named = draw(st.booleans())
        waiting = [{"name": name, **({"id": f"call-{number}-{place}"} if named else {})} for place, name in enumerate(calls)]
        parts: list[dict[str, Any]] = [draw(TEXT)]
        if draw(st.booleans()):
            parts = [{"text": draw(TEXTS), "thought": True, "thoughtSignature": proof("h")}, *parts]
        parts += [{"functionCall": {"args": draw(OBJECTS), **call}} for call in waiting]
        if calls and draw(st.booleans()):
            parts[-len(calls)]["thoughtSignature"] = proof("n")
        contents.append({"role": "model", "parts": parts})
    return contents if waiting == [] else contents[:-1]


CONFIG = optional(
    temperature=st.floats(0, 2),
    topP=st.floats(0.125, 1),
    topK=st.integers(1, 40),
    presencePenalty=st.floats(-2, 2),
    seed=st.integers(0, 2**31 - 1),
    maxOutputTokens=st.integers(1, 10_000),
    candidateCount=st.integers(2, 8),
    stopSequences=st.lists(TEXTS, min_size=1, max_size=5),
    responseMimeType=st.just("application/json"),
    thinkingConfig=st.builds(lambda level: {"thinkingLevel": level, "includeThoughts": True}, st.sampled_from(["LOW", "HIGH"])),
    mediaResolution=st.just("MEDIA_RESOLUTION_LOW"),
    speechConfig=st.just({"languageCode": "de"}),
)
FUNCTION = st.builds(
    lambda schema, more: {"parametersJsonSchema": schema, **more}, SCHEMAS, optional(description=TEXTS, behavior=st.just("BLOCKING"))
)
FUNCTIONS = st.dictionaries(NAMES, FUNCTION, min_size=1).map(lambda named: [{"name": name, **each} for name, each in named.items()])
TOOLS = st.builds(
    lambda functions, others: [{"functionDeclarations": list(functions)}, *others], FUNCTIONS, st.just([]) | st.just([{"googleSearch": {}}])
)
MODES = st.sampled_from(
    [{"mode": "AUTO"}, {"mode": "ANY"}, {"mode": "NONE"}, {"mode": "VALIDATED"}, {"mode": "ANY", "allowedFunctionNames": ["look"]}]
)


@st.composite
def requests(draw: Any) -> dict[str, Any]:
    """A body of `:generateContent`."""
    body: dict[str, Any] = {"contents": draw(turns())}
    body |= draw(
        optional(
            systemInstruction=st.builds(lambda text: {"role": "user", "parts": [{"text": text}]}, TEXTS),
            safetySettings=st.just([{"category": "x"}]),
            labels=st.just({"team_a": "b"}),
        )
    )
    if draw(st.booleans()):
        body["tools"] = draw(TOOLS)
        if draw(st.booleans()):
            body["toolConfig"] = {"functionCallingConfig": draw(MODES)}
    if config := draw(CONFIG):
        body["generationConfig"] = config
    return body


ANSWERED = st.lists(
    st.builds(lambda text: {"text": text}, TEXTS)
    | st.builds(lambda text: {"text": text, "thought": True}, TEXTS)
    | st.builds(lambda name, args: {"functionCall": {"id": f"id-{name}", "name": name, "args": args}}, NAMES, OBJECTS)
    | OPAQUE,
    min_size=1,
    max_size=4,
)


@st.composite
def answers(draw: Any) -> dict[str, Any]:
    """A provider's answer."""
    thoughts, spoken, prompt = draw(st.integers(1, 9)), draw(st.integers(0, 9)), draw(st.integers(0, 9))
    candidates = [
        {
            "content": {"parts": draw(ANSWERED), "role": "model"},
            "index": index,
            "finishReason": draw(st.sampled_from(["STOP", "MAX_TOKENS", "RECITATION", "OTHER"])),
            **draw(optional(safetyRatings=st.just([{"category": "x"}]), groundingMetadata=OBJECTS)),
        }
        for index in range(draw(st.integers(1, 2)))
    ]
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": spoken,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": prompt + spoken + thoughts,
    }
    return {
        "candidates": candidates,
        "usageMetadata": usage,
        "modelVersion": "m",
        "responseId": "r",
        **draw(optional(promptFeedback=OBJECTS)),
    }
