"""OpenAI's SDK, through the mesh, at a model server that this project did not write: llama.cpp's, with a tiny model of random weights.

Run by `make e2e-llama`, which makes the server's environment. Not named `test_…`, since `make test` must not wait for a compiler.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from openai import APIConnectionError, OpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.e2e.running import RunningMesh, environment, free_port, running

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-llama" / "bin" / "python"
SAID: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello mesh, what is the answer?"}]
PATIENCE = 60.0


@dataclass(frozen=True)
class Served:
    """The server, and the mesh before it."""

    mesh: RunningMesh
    through: OpenAI
    direct: OpenAI

    def entry(self, request: str) -> usage_pb2.LedgerEntry:
        """The ledger's entry of a request, once it is settled."""
        with grpc.insecure_channel(self.mesh.grpc) as channel:
            stub: Any = ledger_pb2_grpc.LedgerServiceStub(channel)  # type: ignore[arg-type]  # the stubs' types know only asyncio
            wanted = ledger_pb2.ListLedgerEntriesRequest(parent="domains/default/projects/-", request_id=request)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                found = stub.ListLedgerEntries(wanted, metadata=bearer(self.mesh.admin_key)).entries
                if [entry.state for entry in found] == [usage_pb2.RESERVATION_STATE_SETTLED]:
                    entry: usage_pb2.LedgerEntry = found[0]
                    return entry
                time.sleep(0.01)
        raise AssertionError(f"{request} is not settled")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A tiny model, the server that loads it, and a mesh that knows it as free."""
    folder: Path = tmp_path_factory.mktemp("llama")
    port = free_port()
    subprocess.run([PYTHON, Path(__file__).with_name("tiny_model.py"), folder / "tiny.gguf"], check=True, timeout=PATIENCE)
    server: list[str | Path] = [
        PYTHON,
        "-m",
        "llama_cpp.server",
        "--model",
        folder / "tiny.gguf",
        "--model_alias",
        "tiny",
        "--host",
        "127.0.0.1",
    ]
    server += ["--port", str(port), "--n_ctx", "4096", "--n_threads", "1", "--logits_all", "true"]
    with (
        (folder / "server.log").open("w") as log,
        subprocess.Popen(server, env=environment(), stdout=log, stderr=log) as process,
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0, timeout=PATIENCE) as direct,
        running(folder, env={"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LLAMACPP": f"http://127.0.0.1:{port}/v1"}) as mesh,
        OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0, timeout=PATIENCE) as through,
    ):
        try:
            _await_server(direct, process)
            _register(mesh)
            yield Served(mesh, through, direct)
        finally:
            process.terminate()


def _await_server(direct: OpenAI, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            assert [model.id for model in direct.models.list()] == ["tiny"]
        except APIConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


def _register(mesh: RunningMesh) -> None:
    """By the platform's administrator, who alone may call a model free."""
    tiny = registry_pb2.Model(
        name="domains/shared/models/tiny",
        alias="tiny",
        adapter="openai",
        endpoint="llamacpp",
        upstream_model="tiny",
        capabilities=["generate", "streaming", "logprobs", "seed"],
        context_window=4096,
        max_output_tokens=2048,
        shared_with=["*"],
        free=True,
    )
    with grpc.insecure_channel(mesh.grpc) as channel:
        stub: Any = registry_pb2_grpc.RegistryServiceStub(channel)  # type: ignore[arg-type]  # the stubs' types know only asyncio
        stub.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", models=[tiny]), metadata=bearer(mesh.admin_key))
    with OpenAI(base_url=mesh.base_url, api_key=mesh.project_key) as client:
        deadline = time.monotonic() + PATIENCE
        while "tiny" not in {model.id for model in client.models.list()}:
            assert time.monotonic() < deadline, "the router does not know the model"
            time.sleep(0.02)


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def test_real_tokens_come_through_unchanged_with_the_servers_own_usage(served: Served) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": SAID, "max_tokens": 24, "temperature": 0, "seed": 3}
    raw = served.through.chat.completions.with_raw_response.create(**asked)
    through, direct = raw.parse(), served.direct.chat.completions.create(**asked)
    assert through.choices[0].message.content
    assert through.choices[0].message.content == direct.choices[0].message.content
    assert through.choices[0].finish_reason == direct.choices[0].finish_reason == "length"
    assert through.usage is not None
    assert direct.usage is not None
    assert through.usage.completion_tokens == direct.usage.completion_tokens >= 24
    assert through.usage.prompt_tokens == direct.usage.prompt_tokens > 0
    entry = served.entry(raw.headers["x-request-id"])
    (line,) = entry.lines
    assert line.usage.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert line.usage.usage.input_tokens == direct.usage.prompt_tokens
    assert line.usage.usage.output_tokens == direct.usage.completion_tokens
    assert (line.model, line.endpoint, entry.charged.nanos) == ("domains/shared/models/tiny", "llamacpp", 0)


def test_a_stream_brings_the_servers_own_pieces(served: Served) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": SAID, "max_tokens": 24, "temperature": 0, "seed": 3, "stream": True}
    chunks = list(served.through.chat.completions.create(**asked, stream_options={"include_usage": True}))
    direct = list(served.direct.chat.completions.create(**asked))
    assert pieces(chunks) == pieces(direct)  # of a character of several tokens the server streams nothing
    assert len(pieces(chunks)) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert not any(chunk.usage for chunk in direct), "this server tells no usage of streams"
    assert chunks[-1].usage is not None, "so the mesh tells what it has counted"
    assert len(pieces(chunks)) <= chunks[-1].usage.completion_tokens <= 24


def test_what_a_stream_used_is_counted_where_the_server_does_not_tell(served: Served) -> None:
    request = str(uuid4())
    stream = served.through.chat.completions.create(
        model="tiny", messages=SAID, max_tokens=24, temperature=0, stream=True, extra_headers={"x-request-id": request}
    )
    told = len(pieces(list(stream)))
    (line,) = served.entry(request).lines
    assert line.usage.source == usage_pb2.USAGE_SOURCE_COUNTED
    assert told <= line.usage.usage.output_tokens <= 24
    assert line.usage.usage.input_tokens > 0


def pieces(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [text for chunk in chunks if chunk.choices and (text := chunk.choices[0].delta.content)]


def test_an_answer_ends_before_a_stop_sequence(served: Served) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": SAID, "max_tokens": 64, "temperature": 0, "seed": 3}
    whole = served.through.chat.completions.create(**asked).choices[0].message.content or ""
    middle = whole[len(whole) // 2 :]
    stop = next(letter for letter in middle if letter.isascii() and letter.isalnum())
    stopped = served.through.chat.completions.create(**asked, stop=[stop]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stop not in (stopped.message.content or "")
    assert whole.startswith(stopped.message.content or "")


def test_log_probabilities_are_the_servers(served: Served) -> None:
    asked: dict[str, Any] = {
        "model": "tiny",
        "messages": SAID,
        "max_tokens": 8,
        "temperature": 0,
        "seed": 3,
        "logprobs": True,
        "top_logprobs": 2,
    }
    through, direct = (client.chat.completions.create(**asked).choices[0].logprobs for client in (served.through, served.direct))
    assert through is not None
    assert direct is not None
    assert through.content
    assert direct.content
    assert [token.token for token in through.content] == [token.token for token in direct.content]
    assert [token.logprob for token in through.content] == pytest.approx([token.logprob for token in direct.content], rel=1e-4)
    assert all(token.logprob <= 0 for token in through.content)
    assert all(1 <= len(token.top_logprobs) <= 2 for token in through.content)


def test_a_client_that_leaves_is_settled_and_the_server_is_free_again(served: Served) -> None:
    request = "left-early"  # the server would refuse an id that is no UUID: it never sees this one
    stream = served.through.chat.completions.create(
        model="tiny", messages=SAID, max_tokens=1500, seed=3, stream=True, extra_headers={"x-request-id": request}
    )
    next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)
    stream.close()
    (line,) = served.entry(request).lines
    assert line.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert 0 < line.usage.usage.output_tokens < 1500
    begun = time.monotonic()
    assert served.through.chat.completions.create(model="tiny", messages=SAID, max_tokens=4, temperature=0).choices
    assert time.monotonic() - begun < PATIENCE / 2


def test_the_model_is_found_by_discovery(served: Served) -> None:
    found = json.loads(served.mesh.cli("models", "discover", "--json").stdout)
    assert "tiny" in json.dumps(found)
