"""Leaving between the last word of an answer and the provider's bill changes nothing about the bill."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.policy.v1 import usage_pb2
from tests.proofs.gone import chat
from tests.proofs.stand import Stand, charge, model, provider, stand

OUTPUT = 700
"""Far more tokens than the answer shows, as a model may that thinks without telling."""


class Late:
    """A provider that says what it used only when it is told to."""

    def __init__(self) -> None:
        self.address = ""
        self.bills = threading.Event()
        self.output = OUTPUT
        """What it bills."""
        self.closed = threading.Event()


@contextmanager
def late() -> Iterator[Late]:
    made = Late()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            head = {"id": "c", "created": 1, "model": "m", "object": "chat.completion.chunk"}
            usage = {"prompt_tokens": 9, "completion_tokens": made.output, "total_tokens": 9 + made.output}
            self._say({**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "done"}}]})
            self._say({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            try:
                while not made.bills.wait(0.02):
                    self.wfile.write(b": waiting\n\n")
                    self.wfile.flush()
                self._say({**head, "choices": [], "usage": usage})
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                made.closed.set()

        def _say(self, chunk: dict[str, Any]) -> None:
            self.wfile.write(b"data: %b\n\n" % json.dumps(chunk).encode())
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.bills.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def slow() -> Iterator[Late]:
    with late() as made:
        yield made


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, slow: Late) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("late")
    env = {
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LATE": json.dumps({"base_url": f"http://{slow.address}/v1", "local": True}),
        "LLM_MESH_GATEWAY_LATE_USAGE": "10s",
    }
    with provider(folder) as simulator, stand(folder, simulator, env) as made:
        made.put_models([model("late", "late", endpoint="late")])
        yield made


def left(mesh: Stand, request: str) -> None:
    """Reads until the choice is finished, and leaves."""
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    ask = gateway_pb2.GenerateStreamRequest(input=chat("late", "think"))
    call: Any = stub.GenerateStream(ask, metadata=(*mesh.user, ("x-request-id", request)), timeout=20)
    next(message for message in call if any(event.WhichOneof("kind") == "choice_finished" for event in message.events))
    call.cancel()


def test_who_leaves_before_the_bill_is_charged_the_bill(mesh: Stand, slow: Late) -> None:
    left(mesh, "leaves-before-the-bill")
    threading.Timer(0.5, slow.bills.set).start()  # as late as a provider's own accounting may be
    entry = mesh.entry("leaves-before-the-bill")
    [line] = entry.lines
    assert (line.usage.outcome, line.usage.source) == (usage_pb2.ATTEMPT_OUTCOME_CANCELLED, usage_pb2.USAGE_SOURCE_PROVIDER)
    assert (line.usage.usage.output_tokens, entry.charged.nanos) == (OUTPUT, charge(9, OUTPUT))


def test_a_late_bill_that_cannot_be_costs_what_was_counted(mesh: Stand, slow: Late) -> None:
    slow.bills.set()
    slow.output = 10**12
    try:
        left(mesh, "an-impossible-bill")
        [line] = mesh.entry("an-impossible-bill").lines
    finally:
        slow.output = OUTPUT
    assert line.usage.source != usage_pb2.USAGE_SOURCE_PROVIDER
    assert line.usage.usage.output_tokens == 1, "the one word that came, and not all that was reserved"


def test_a_bill_that_does_not_come_is_waited_for_within_a_bound(mesh: Stand, slow: Late) -> None:
    slow.bills.clear()
    left(mesh, "no-bill-comes")
    assert slow.closed.wait(30), "the provider's connection closes"
    [line] = mesh.entry("no-bill-comes").lines
    assert line.usage.source != usage_pb2.USAGE_SOURCE_PROVIDER
