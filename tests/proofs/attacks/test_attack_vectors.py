"""Ordinary batches of embeddings go through a running mesh: 2,048 texts, 3,072 numbers each, as numbers and in base64, to both SDK ways.

Nobody else is held up: no turn of an event loop is too long, and others are answered while a batch is on its way.
"""

from __future__ import annotations

import array
import base64
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Self

import grpc
import orjson
import pytest
from openai import OpenAI

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import embed_pb2
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, model, provider, stand
from tests.proofs.turns import none_too_long

ITEMS, DIMENSIONS = 2_048, 3_072
NUMBERS = array.array("f", [(number - 1_500) / 7_919 for number in range(DIMENSIONS)])
VECTOR = NUMBERS.tolist()
MEMORY = 2 * ITEMS * DIMENSIONS * 4
TEXTS = [f"text {number}" for number in range(ITEMS)]
FORMS = {"numbers": json.dumps(VECTOR), "base64": json.dumps(base64.b64encode(NUMBERS.tobytes()).decode())}
"""As a server says one vector."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as made:
        yield made


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, upstream: ScriptedUpstream) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("vectors")
    endpoint = json.dumps({"base_url": f"http://127.0.0.1:{upstream.port}/v1", "local": True})
    settings = {"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_VECTORS": endpoint, "LLM_MESH_ADAPTER_OPENAI_VECTORS_MEMORY": str(MEMORY)}
    with provider(folder) as simulator, stand(folder, simulator, settings) as made:
        vectors = model("vectors", "vectors-large", endpoint="vectors")
        vectors.capabilities[:] = ["embeddings"]
        made.put_models([vectors, model("chat", "sim-echo")])
        yield made


def answers(vector: str, items: int = ITEMS) -> dict[str, Any]:
    """What the provider says: its text is never there as a whole, either."""
    pieces = ['{"object":"list","data":[']
    for index in range(items):
        pieces += [f'{{"object":"embedding","index":{index},"embedding":', vector, "}" if index == items - 1 else "},"]
    pieces.append('],"model":"vectors-large","usage":{"prompt_tokens":4096,"total_tokens":4096}}')
    return {"pieces": pieces, "type": "application/json"}


class Neighbour:
    """Somebody else, who asks one chat after the other while a batch is on its way."""

    def __init__(self, mesh: Stand) -> None:
        self._mesh = mesh
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answered: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._end.wait(0.02):
            self.answered.append(self._mesh.ask(chat_body("chat", "hi")).status)


def check(vectors: Sequence[Sequence[float]]) -> None:
    assert len(vectors) == ITEMS
    assert all(len(vector) == DIMENSIONS for vector in vectors)
    assert all(vectors[place] == VECTOR for place in (0, 1_000, ITEMS - 1))


@pytest.mark.parametrize("said", FORMS)
def test_a_batch_in_base64_as_the_sdk_asks_for_it(mesh: Stand, upstream: ScriptedUpstream, said: str) -> None:
    upstream.script = answers(FORMS[said])
    with none_too_long(mesh), Neighbour(mesh) as neighbour:
        answer = mesh.client().with_options(timeout=60).embeddings.create(model="vectors", input=TEXTS)
    check([each.embedding for each in answer.data])
    assert [each.index for each in answer.data] == list(range(ITEMS))
    assert answer.usage.prompt_tokens == 4096
    assert upstream.received[-1]["encoding_format"] == "base64"
    assert len(neighbour.answered) > 3
    assert set(neighbour.answered) == {200}


def test_a_batch_in_numbers(mesh: Stand, upstream: ScriptedUpstream) -> None:
    upstream.script = answers(FORMS["numbers"])
    with none_too_long(mesh), Neighbour(mesh) as neighbour:
        reply = mesh.ask({"model": "vectors", "input": TEXTS, "encoding_format": "float"}, path="/v1/embeddings")
    assert reply.status == 200
    assert len(reply.body) > 100_000_000
    body = orjson.loads(reply.body)
    check([each["embedding"] for each in body["data"]])
    assert body["model"] == "vectors-large"
    assert upstream.received[-1]["encoding_format"] == "base64"
    assert len(neighbour.answered) > 3
    assert set(neighbour.answered) == {200}


@pytest.mark.parametrize("form", ["float", "base64"])
def test_the_sdk_reads_both_forms(mesh: Stand, upstream: ScriptedUpstream, form: Any) -> None:
    upstream.script = answers(FORMS["base64"], 40)
    answer = mesh.client().embeddings.create(model="vectors", input=TEXTS[:40], encoding_format=form)
    values: list[Any] = [each.embedding for each in answer.data]
    assert len(values) == 40
    if form == "base64":
        assert all(isinstance(value, str) for value in values)  # who asks for it has it as it is
        values = [array.array("f", base64.b64decode(value)).tolist() for value in values]
    assert all(value == VECTOR for value in values)


@pytest.mark.parametrize("way", ["whole", "in pieces"])
def test_typed_clients_have_a_batch_too(mesh: Stand, upstream: ScriptedUpstream, way: str) -> None:
    upstream.script = answers(FORMS["base64"])
    given = embed_pb2.EmbedInput(model="vectors", items=[embed_pb2.EmbedItem(text=text) for text in TEXTS])
    address = mesh.mesh.address("gateway")
    with none_too_long(mesh), grpc.insecure_channel(address, [("grpc.max_receive_message_length", 32 * 1024 * 1024)]) as channel:
        connected: Any = channel  # the stubs' types know only channels of asyncio
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(connected)
        if way == "whole":
            answer = stub.Embed(gateway_pb2.EmbedRequest(input=given), metadata=mesh.user, timeout=60)
            receipt, vectors = answer.receipt, list(answer.output.embeddings)
        else:
            messages = list(stub.EmbedStream(gateway_pb2.EmbedStreamRequest(input=given), metadata=mesh.user, timeout=60))
            assert max(message.ByteSize() for message in messages) < 300_000
            receipt, vectors = messages[0].receipt, [vector for message in messages for vector in message.embeddings]
    assert receipt.charged.nanos == 4096 * 100
    assert [vector.index for vector in vectors] == list(range(ITEMS))
    check([vectors[place].values if place not in {0, 1_000, ITEMS - 1} else list(vectors[place].values) for place in range(ITEMS)])


def test_a_client_that_leaves_in_the_middle_holds_nothing(mesh: Stand, upstream: ScriptedUpstream) -> None:
    """The endpoint has memory for two batches: were it not given back, the third would wait for ever."""
    upstream.script = answers(FORMS["base64"])
    client = OpenAI(base_url=mesh.mesh.base_url, api_key=mesh.mesh.project_key, max_retries=0, timeout=60)
    with client:
        for _ in range(2):
            with client.embeddings.with_streaming_response.create(model="vectors", input=TEXTS) as response:
                next(response.iter_bytes(1_024))
        check([each.embedding for each in client.embeddings.create(model="vectors", input=TEXTS).data])


@pytest.mark.parametrize("said", ["[1,2", "[]", '""'], ids=["without an end", "without numbers", "without bytes"])
def test_a_provider_whose_vectors_do_not_fit_is_a_typed_failure(mesh: Stand, upstream: ScriptedUpstream, said: str) -> None:
    upstream.script = answers(said, 2)
    reply = mesh.ask({"model": "vectors", "input": TEXTS[:2]}, path="/v1/embeddings")
    assert (reply.status, orjson.loads(reply.body)["error"]["code"]) == (502, "provider_malformed")
    assert reply.headers["x-llm-mesh-cost"] == "0"


@pytest.mark.parametrize(
    "said", ["[" + "1," * 900_000 + "1]", "[" + "NaN," * 450_000 + "1]", f'"{"A" * 1_800_000}"'], ids=["ones", "nan", "base64"]
)
def test_a_vector_that_would_hold_everybody_up_is_refused(mesh: Stand, upstream: ScriptedUpstream, said: str) -> None:
    upstream.script = answers(said, 1)
    reply = mesh.ask({"model": "vectors", "input": TEXTS[:1], "encoding_format": "float"}, path="/v1/embeddings")
    assert (reply.status, orjson.loads(reply.body)["error"]["code"]) == (502, "provider_malformed")
    assert reply.headers["x-llm-mesh-cost"] == "0"
    upstream.script = answers(FORMS["base64"], 2)
    for _ in range(2):  # the breaker has nothing against the endpoint
        assert mesh.ask({"model": "vectors", "input": TEXTS[:2]}, path="/v1/embeddings").status == 200
