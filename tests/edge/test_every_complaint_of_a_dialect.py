"""Every complaint that a body is not of its dialect is made once, and names its place as whoever wrote the body does.

The complaints are read from the code. One that is added fails here until a body reaches it.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

import llm_mesh_dialects
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.allowing import NOTHING_MORE
from llm_mesh_dialects.counting import MOST_PARTS, MOST_TOOLS
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.loose import loose_parsed, mended
from llm_mesh_dialects.openai import vectors
from llm_mesh_edge.domain.failures import Failure, placed
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.anthropic.betas import with_betas
from llm_mesh_edge.http.generation import is_streamed
from tests.edge import complaining_bodies as bodies
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest, saying
from tests.edge.complaint_sites import Reached, sites
from tests.edge.test_every_check_fails_once import exists
from tests.edge.test_every_field_name import DIALECTS, OURS
from tests.edge.wrong_bodies import leads_into, with_one_wrong

ALL = sites()


def chunks(read: list[Any]) -> None:
    reader = openai.streams.ChunkReader()
    for each in read:
        reader.feed(each)


def halves(read: list[Any]) -> None:
    reader = openai.streams.ChunkReader()
    for each in read:
        reader.feed_halves(each)


def events(read: list[Any]) -> None:
    reader = anthropic.streams.EventReader()
    for each in read:
        reader.feed(each)


def betas(body: dict[str, Any]) -> None:
    if isinstance(body, dict):  # as it always is there
        with_betas(body, Headers([(b"anthropic-beta", b"b")]))


def streamed(body: dict[str, Any]) -> None:
    if isinstance(body, dict):
        is_streamed(body)


def vectors_of(text: bytes, most: int = 2, *, cut: bool = False) -> None:
    reader = vectors.VectorText(lambda raw: raw, most)
    reader.feed(text, lambda: None)
    if not cut:
        reader.rest()


def embedded(body: dict[str, Any]) -> None:
    openai.embeddings.body_to_output(body, [b"\0\0\0\0"])


def nested(depth: int) -> Any:
    value: Any = ""
    for _ in range(depth):
        value = [value]
    return value


def interleaved() -> None:
    writer = anthropic.streams.EventWriter()
    event = generate_pb2.StreamEvent
    writer.write(event(tool_call=generate_pb2.ToolCallDelta(index=3, arguments_json="{}")))


def passed_on(kind: str, json: bytes) -> None:
    opaque = content_pb2.OpaquePart(dialect="anthropic", type=kind, json=json)
    anthropic.streams.EventWriter().write(generate_pb2.StreamEvent(opaque=opaque))


READ: Mapping[str, tuple[Read, list[Any]]] = {
    "openai-request": (openai.requests.chat_to_input, bodies.CHATS),
    "openai-embeddings": (openai.embeddings.body_to_input, bodies.EMBEDDINGS),
    "openai-answer": (openai.responses.chat_to_output, bodies.ANSWERED),
    "openai-vectors": (embedded, [{"data": [{"index": 0, "embedding": "#0"}], "model": "m", "usage": bodies.FIGURES}]),
    "anthropic-request": (anthropic.requests.messages_to_input, bodies.MESSAGE_BODIES),
    "anthropic-betas": (betas, [{"anthropic_beta": ["b"]}]),
    "streamed": (streamed, [{"stream": True}]),
    "anthropic-answer": (anthropic.responses.message_to_output, bodies.MESSAGE_ANSWERED),
}
"""What reads a whole body, and bodies that have everything that it looks at."""
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {
    "openai-chunks": (chunks, bodies.CHUNKS),
    "openai-halves": (halves, bodies.CHUNKS),
    "anthropic-events": (events, bodies.EVENTS),
}
"""What reads a stream: the place is one in the part that is wrong."""
LARGE: Mapping[str, tuple[Read, Any]] = {
    "parts": (openai.requests.chat_to_input, {"model": "m", "messages": [{"role": "user", "content": [bodies.TEXT] * (MOST_PARTS + 1)}]}),
    "tools": (openai.requests.chat_to_input, {"model": "m", "messages": [bodies.SPOKEN], "tools": [{}] * (MOST_TOOLS + 1)}),
    "messages": (openai.requests.chat_to_input, {"model": "m", "messages": [bodies.SPOKEN] * 4097}),
    "turns": (anthropic.requests.messages_to_input, {"model": "m", "max_tokens": 1, "messages": [bodies.SPOKEN] * 4097}),
    "calls": (chunks, [{"choices": [{"delta": {"tool_calls": [{"index": n, "function": {"name": "f"}} for n in range(1025)]}}]}]),
}
"""Bodies whose fault is their size."""
OPEN, NUMBERS = b'{"data":[{"embedding":', vectors.MOST_NUMBERS
VECTORS: Mapping[str, Callable[[], object]] = {
    "cut": lambda: vectors_of(OPEN + b"[1"),
    "none": lambda: vectors_of(OPEN + b"[]"),
    "words": lambda: vectors_of(OPEN + b'["x"]'),
    "odd": lambda: vectors_of(OPEN + b'"aGk="'),
    "no base64": lambda: vectors_of(OPEN + b'"!"'),
    "uneven": lambda: vectors_of(OPEN + b'[1]},{"embedding":[1,2]'),
    "many": lambda: vectors_of(OPEN + b'[1]},{"embedding":[1]', most=1),
    "numbers": lambda: vectors_of(OPEN + b"[" + b"1," * NUMBERS + b"1]"),
    "long": lambda: vectors_of(OPEN + b"[" + b" " * (vectors.LONGEST_VECTOR + 1), cut=True),
    "beside": lambda: vectors_of(b" " * (vectors.LONGEST_REST + 100)),
}
"""Texts of vectors that a provider sent."""
TEXTS: Mapping[str, Callable[[], object]] = {
    "json": lambda: loose_parsed(b"{"),
    "nesting": lambda: mended(nested(300)),
    "interleaved": interleaved,
    "event-of-no-object": partial(passed_on, "other", b"[]"),
    "block-of-no-object": partial(passed_on, "content_block_start", b"{}"),
}


def to_chat(given: generate_pb2.GenerateInput) -> None:
    openai.requests.input_to_chat(given, openai.OPENAI, model="m", stream=False, allowance=NOTHING_MORE)


def to_messages(given: generate_pb2.GenerateInput) -> None:
    anthropic.requests.input_to_messages(given, anthropic.quirks.NEWEST, model="m", stream=False, allowance=NOTHING_MORE)


def typed(part: content_pb2.Part, **more: Any) -> generate_pb2.GenerateInput:
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])
    return generate_pb2.GenerateInput(model="m", source_dialect="anthropic", messages=[message], **more)


OWN_PART, NO_JSON = (
    content_pb2.OpaquePart(dialect="anthropic", type="x", json=b"[]"),
    content_pb2.Extra(dialect="anthropic", key="k", json=b"{"),
)
TYPED: Mapping[str, TypedRequest] = {
    "part": (typed(content_pb2.Part(opaque=OWN_PART)), to_messages),
    "extra": (typed(content_pb2.Part(text=content_pb2.Text(text="x")), extras=[NO_JSON]), to_messages),
}
"""What only a client over gRPC can say."""
PRIVATE = "https://10.0.0.1/a.png"
STRANGER = {"type": "image", "source": {"type": "url", "url": PRIVATE}}
PICTURE_OF_A_STRANGER = {"type": "image_url", "image_url": {"url": PRIVATE}}


WRITTEN: Mapping[str, WrittenRequest] = {
    "tier": ("openai", {"messages": [bodies.SPOKEN], "service_tier": "priority"}, to_chat),
    "sound": ("openai", {"messages": [bodies.SPOKEN], "modalities": ["audio"]}, to_chat),
    "address": ("openai", {"messages": [saying({"type": "image_url", "image_url": {"url": PRIVATE}})]}, to_chat),
    "address-across": ("openai", {"messages": [saying({"type": "image_url", "image_url": {"url": PRIVATE}})]}, to_messages),
    "picture": ("openai", {"messages": [saying({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,aGk="}})]}, to_messages),
    "no-content": ("openai", {"messages": [saying({"type": "text", "text": ""})]}, to_messages),
    "lost": ("openai", {"messages": [saying({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}})]}, to_messages),
    "call": ("openai", {"messages": [bodies.SPOKEN, {"role": "assistant", "tool_calls": [bodies.CALL | {"id": ""}]}]}, to_messages),
    "result": (
        "openai",
        {"messages": [bodies.SPOKEN, {"role": "tool", "tool_call_id": "x", "content": [PICTURE_OF_A_STRANGER]}]},
        to_messages,
    ),
    "own-tool": ("anthropic", {"messages": [bodies.SPOKEN], "tools": [{"type": "web_search_20250305", "name": "w"}]}, to_messages),
    "own-tier": ("anthropic", {"messages": [bodies.SPOKEN], "service_tier": "priority", "container": "c"}, to_messages),
    "own-address": ("anthropic", {"messages": [saying({"type": "image", "source": {"type": "url", "url": PRIVATE}})]}, to_messages),
    "own-block": (
        "anthropic",
        {"messages": [saying({"type": "document", "source": {"type": "content", "content": [STRANGER]}})]},
        to_messages,
    ),
    "own-address-across": ("anthropic", {"messages": [saying({"type": "image", "source": {"type": "url", "url": PRIVATE}})]}, to_chat),
    "own-result": (
        "anthropic",
        {"messages": [saying({"type": "tool_result", "tool_use_id": "t", "content": [bodies.TEXT, STRANGER]}, bodies.TEXT)]},
        to_messages,
    ),
}
"""Requests of a client that a provider's dialect cannot say: the client's dialect, its body, and what writes the provider's."""


ADAPTERS = ("engine",)
"""Adapters that complain by themselves, and not by a dialect."""
BROUGHT = tuple(
    importlib.import_module(f"tests.edge.complaints_of_{name}")
    for name in [*(each.name for each in pkgutil.iter_modules(llm_mesh_dialects.__path__) if each.ispkg), *ADAPTERS]
    if importlib.util.find_spec(f"tests.edge.complaints_of_{name}")
)
"""What further dialects and adapters bring, each in a file of its own: tables of the same names."""


def with_brought(table: str) -> dict[str, Any]:
    """A table of this file, and what further dialects have of it."""
    return functools.reduce(lambda all_, one: all_ | dict(getattr(one, table, {})), BROUGHT, dict(globals()[table]))


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Reached:
    seen = Reached(ALL)
    monkeypatch.setattr(DialectError, "__init__", seen.recording(DialectError.__init__))
    return seen


def complaint(read: Callable[[], object]) -> DialectError | None:
    try:
        read()
    except DialectError as error:
        return error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as defect:  # nobody would be told what is wrong
        return DialectError(DEFECT, repr(defect))
    return None


DEFECT = "no place[0]"
_OPAQUE = ".opaque.json."


def of_bodies() -> Iterator[str]:
    """What is wrong with what is said about a body."""
    for name, (read, valid) in with_brought("READ").items():
        for body in valid:
            assert complaint(partial(read, body)) is None, (name, complaint(partial(read, body)))
            for wrong in with_one_wrong(body):
                error = complaint(partial(read, wrong))
                if error is not None and not leads_into(wrong, error.field):
                    yield f"{name}: {error}: {wrong}"


def of_streams() -> Iterator[str]:
    for name, (read, valid) in with_brought("STREAMED").items():
        assert complaint(partial(read, valid)) is None, (name, complaint(partial(read, valid)))
        for number, part in enumerate(valid):
            for wrong in with_one_wrong(part):
                error = complaint(partial(read, [*valid[:number], wrong, *valid[number + 1 :]]))
                if error is not None and not any(leads_into(each, error.field) for each in [wrong, *valid[number + 1 :]]):
                    yield f"{name}: {error}: {wrong}"


def of_texts() -> Iterator[str]:
    for name, (read, body) in with_brought("LARGE").items():
        error = complaint(partial(read, body))
        if error is None or not any(leads_into(each, error.field) for each in (body if isinstance(body, list) else [body])):
            yield f"{name}: {error}"
    for name, text in {**VECTORS, **with_brought("TEXTS")}.items():
        error = complaint(text)
        if error is None or error.field == DEFECT or OURS.search(str(error)):
            yield f"{name}: {error}"


def of_typed_requests() -> Iterator[str]:
    for name, (given, write) in with_brought("TYPED").items():
        error = complaint(partial(write, given))
        if error is None or not leads_into_typed(given, error.field):
            yield f"{name}: {error}"


def leads_into_typed(given: Any, field: str) -> bool:
    """Whether a path leads to a field of a request and, where that holds JSON of a dialect, to a value inside of it."""
    head, inside, rest = field.partition(_OPAQUE)
    if not inside:
        return exists(given.DESCRIPTOR, field)
    return head == "messages[0].parts[0]" and leads_into(json.loads(given.messages[0].parts[0].opaque.json), rest)


def of_requests() -> Iterator[str]:
    for name, (dialect, asked, write) in with_brought("WRITTEN").items():
        body = {"model": "m", **asked} | ({"max_tokens": 5000} if dialect == "anthropic" else {})
        read = openai.requests.chat_to_input if dialect == "openai" else anthropic.requests.messages_to_input
        error = complaint(partial(write, read(body)))
        if error is None:
            yield f"{name}: nothing is wrong"
            continue
        module, place = DIALECTS[dialect]
        failure = placed(Failure(400, "invalid_field", f"input.{error}", f"input.{error.field}"), place, body)
        param, message = module.param_of(failure) or "", module.shape(failure, Headers([]))["error"]["message"]
        if not leads_into(body, param) or OURS.search(f"{param} {message}"):
            yield f"{name}: {param}: {message}"


def test_every_complaint_is_made_once_and_names_its_place_as_its_writer_does(reached: Reached) -> None:
    wrong = [*of_bodies(), *of_streams(), *of_texts(), *of_requests(), *of_typed_requests()]
    assert not wrong, "\n".join(wrong[:20])
    missed = set(ALL.values()) - reached.names
    assert not missed, f"add bodies that reach them, in a `tests/edge/complaints_of_….py` as Bedrock has it: {sorted(missed)}"


def test_complaints_are_found_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) > 90
    assert len(set(ALL.values())) == len(ALL)
