"""The dialect of `POST /v1/chat/completions`."""

from __future__ import annotations

from typing import Any

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.openai import requests, responses, streams
from llm_mesh_edge.domain.failures import Failure, spoken
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.http.openai.failures import code_of, extras_of, param_of, type_of
from llm_mesh_edge.http.openai.places import place


class Chat:
    """`Dialect`."""

    messages = "messages"
    keep_alive = b": keep-alive\n\n"

    def read(self, body: dict[str, Any], headers: Headers, into: generate_pb2.GenerateInput) -> None:
        """The request."""
        del headers
        requests.chat_into_input(into, body)

    def place(self, field: str, body: Body) -> str:
        """Of a part of a message."""
        return place(field, body)

    def answer_id(self, provider: str, request_id: str) -> str:
        """The provider's, where it gave one."""
        return provider or f"chatcmpl-{request_id}"

    def body(self, output: generate_pb2.GenerateOutput, request: generate_pb2.GenerateInput, number: str) -> object:
        """A whole answer."""
        del request
        return responses.output_to_chat(output, id=number)

    def writer(self, request: generate_pb2.GenerateInput, number: str) -> ChatWriter:
        """Of a streamed answer."""
        return ChatWriter(include_usage=request.include_usage, number=number)


class ChatWriter:
    """`Writer`."""

    __slots__ = ("_chunks", "_include_usage", "write")

    def __init__(self, *, include_usage: bool, number: str) -> None:
        self._include_usage = include_usage
        self._chunks = streams.ChunkWriter(include_usage=include_usage, id=number)
        self.write = self._chunks.write_all

    def close(self, receipt: dict[str, Any]) -> bytes:
        """The receipt stands in the usage chunk where the client asked for one, else in a comment, which every reader skips."""
        if self._include_usage:
            return self._chunks.close({"llm_mesh": receipt} if receipt else {})
        comment = b": llm_mesh " + orjson.dumps(receipt) + b"\n\n" if receipt else b""
        return comment + self._chunks.close()

    def failure(self, failure: Failure, headers: Headers) -> bytes:
        """The error; `[DONE]` does not follow."""
        del headers
        return self._chunks.failure(
            spoken(failure, param_of(failure) or ""),
            type=type_of(failure),
            code=code_of(failure),
            param=param_of(failure),
            extras=extras_of(failure),
        )
