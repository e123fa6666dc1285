"""Large answers with vectors are written piece by piece, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.openai.embeddings import VectorsWriter
from tests.edge.conftest import Served


@pytest.mark.parametrize("form", ["float", "base64"])
async def test_a_large_answer_is_written_in_pieces(served: Served, form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write, threads = VectorsWriter.write, []

    def watched(self: VectorsWriter, embeddings: Iterable[embed_pb2.Embedding], step: Callable[[], None]) -> bytes:
        threads.append(threading.current_thread())
        return write(self, embeddings, step)

    monkeypatch.setattr(VectorsWriter, "write", watched)
    served.gateway.vector = [number / 4 for number in range(20_000)]
    raw = await served.sdk.embeddings.with_raw_response.create(model="embedder", input=["a", "b", "c"], encoding_format=form)
    assert raw.headers["transfer-encoding"] == "chunked"
    assert raw.headers["x-llm-mesh-cost"]
    answer = raw.parse()
    assert [each.index for each in answer.data] == [0, 1, 2]
    assert len(threads) >= 3
    assert threading.main_thread() not in threads[1:], "the first message has no vectors"
    if form == "float":
        assert all(each.embedding == served.gateway.vector for each in answer.data)


async def test_a_small_answer_says_its_length(served: Served) -> None:
    raw = await served.sdk.embeddings.with_raw_response.create(model="embedder", input=["a", "b"])
    assert int(raw.headers["content-length"]) == len(raw.content)
