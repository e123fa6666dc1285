"""Chat completions as server-sent events, built from parts that are the same in all events of a stream."""

from itertools import chain, zip_longest
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, SimulatedAnswer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.openai.completion import FINGERPRINT, CompletionForm, finish, logprobs, tool_call, usage
from llm_mesh_simulator.provider.openai.errors import STREAM_ERROR
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

DONE: Final = b"data: [DONE]\n\n"


def chunks(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: CompletionForm, identity: AnswerIdentity) -> Stream:
    """The answer to a request with `stream`."""
    common = {
        "id": "chatcmpl-" + identity.number,
        "object": "chat.completion.chunk",
        "created": identity.created,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }
    reports = form.include_usage and answer.usage is not None
    head = b"data: " + orjson.dumps(common)[:-1] + b',"choices":['
    tail = b'],"usage":null}\n\n' if reports else b"]}\n\n"
    writers = [_Writer(index, choice, behaviour, form, head, tail) for index, choice in enumerate(answer.choices)]
    closing = [writer.closing() for writer in writers]
    if reports and answer.usage is not None:
        closing.append(head + b'],"usage":' + orjson.dumps(usage(answer.usage)) + b"}\n\n")
    # Several choices grow side by side, as they do when a model writes them as one batch.
    rows = zip_longest(*(writer.pieces() for writer in writers))
    pieces = [piece for piece in chain.from_iterable(rows) if piece is not None]
    return Stream([writer.opening() for writer in writers], pieces, closing, DONE, STREAM_ERROR)


class _Writer:
    """Writes the events of one choice."""

    def __init__(self, index: int, choice: Choice, behaviour: Behaviour, form: CompletionForm, head: bytes, tail: bytes) -> None:
        self._choice = choice
        self._behaviour = behaviour
        self._form = form
        self._before = head + b'{"index":%d,"delta":' % index
        self._after = b',"logprobs":null,"finish_reason":null}' + tail
        self._tail = tail

    def opening(self) -> bytes:
        silent = self._choice.calls or self._behaviour.refusal
        return self._event({"role": "assistant", "content": None if silent else "", "refusal": None})

    def closing(self) -> bytes:
        reason = orjson.dumps(finish(self._choice, self._behaviour))
        return self._before + b'{},"logprobs":null,"finish_reason":' + reason + b"}" + self._tail

    def pieces(self) -> list[bytes]:
        """One entry per token."""
        shown = self._behaviour.reasoning_content
        written = [self._event({"reasoning_content": token}) if shown else b"" for token in self._choice.reasoning]
        if self._form.logprobs is None:
            name = b'{"refusal":' if self._behaviour.refusal else b'{"content":'
            before, after = self._before + name, b"}" + self._after
            written.extend([before + orjson.dumps(token) + after for token in self._choice.text])
        else:
            written.extend(self._with_logprobs(token) for token in self._choice.text)
        for number, call in enumerate(self._choice.calls):
            whole = tool_call(call)
            kind, field = ("custom", "input") if call.custom else ("function", "arguments")
            opening = self._event({"tool_calls": [{"index": number, **whole, kind: {"name": call.name, field: ""}}]})
            parts = [self._event({"tool_calls": [{"index": number, kind: {field: token}}]}) for token in call.arguments]
            written.extend([opening + parts[0], *parts[1:]] if parts else [])
        return written

    def _event(self, delta: dict[str, object]) -> bytes:
        return self._before + orjson.dumps(delta) + self._after

    def _with_logprobs(self, token: str) -> bytes:
        refused = self._behaviour.refusal
        delta = orjson.dumps({"refusal" if refused else "content": token})
        shown = orjson.dumps(logprobs([token], self._form.logprobs, refused=refused))
        return self._before + delta + b',"logprobs":' + shown + b',"finish_reason":null}' + self._tail
