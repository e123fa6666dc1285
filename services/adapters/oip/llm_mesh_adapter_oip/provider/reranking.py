"""Reranking: a query and a batch of documents in each call, and the scores that come back."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import rerank_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_kit.methods import AnsweredMethod, DialectMethod, DialectMethods
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.statuses import messages_of
from llm_mesh_adapter_oip.provider.embedding import NOWHERE, left_out
from llm_mesh_adapter_oip.provider.failures import of_status
from llm_mesh_adapter_oip.provider.methods import INFER
from llm_mesh_adapter_oip.provider.options import options_of, places, shaped
from llm_mesh_adapter_oip.provider.tensors import DOUBLE, NumberTensor, TextTensor, infer_request, tensor_of
from llm_mesh_dialects.report import Report


def methods() -> DialectMethods:
    """By the name of the RPC."""
    return {"Rerank": DialectMethod(_rerank, _reranked)}


def _rerank(ask: Ask, request: rerank_pb2.RerankInput) -> Call:
    options = options_of(ask.endpoint)
    tensors = options.rerank
    query, documents = request.query.encode(), [each.text.encode() for each in request.documents]
    messages = []
    for place in places(len(documents), tensors.batch):
        batch = documents[place : place + tensors.batch]
        shape = shaped(tensors.query_shape, len(batch))
        repeated = len(batch) if "n" in tensors.query_shape else 1
        inputs = [
            TextTensor(tensors.query, shape, [query] * repeated),
            TextTensor(tensors.documents, shaped(tensors.documents_shape, len(batch)), batch),
        ]
        messages.append(infer_request(ask.model, inputs, tensors.output, raw=options.raw))
    report = Report()
    if request.max_tokens_per_document:
        report.dropped("max_tokens_per_document", NOWHERE)
    return Call(INFER, framed(*messages), translations=[*report.translations, *left_out(request.end_user, request.extras)])


def _reranked(answer: AnsweredMethod, request: rerank_pb2.RerankInput, output: rerank_pb2.RerankOutput) -> None:
    """The best document first, whatever the server's order was."""
    name, tensors = answer.endpoint.name, options_of(answer.endpoint).rerank
    count = len(request.documents)
    sizes = [min(tensors.batch, count - place) for place in places(count, tensors.batch)]
    messages = messages_of(name, answer.body, of_status)
    if len(messages) != len(sizes):
        raise malformed(name, f"{len(messages)} messages for {len(sizes)} calls")
    try:
        answers = [tensor_of(message, tensors.output, tensors.datatype, DOUBLE) for message in messages]
        scores = _scores(answers, sizes)
    except ValueError as error:
        raise malformed(name, str(error)) from None
    order = sorted(range(count), key=lambda index: (-scores[index], index))
    for index in order[: request.top_n or None]:
        output.results.add(index=index, score=scores[index])
    output.model = answers[0].model


def _scores(answers: Sequence[NumberTensor], sizes: Sequence[int]) -> list[float]:
    scores: list[float] = []
    for tensor, size in zip(answers, sizes, strict=True):
        if tensor.shape not in {(size,), (size, 1), (1, size)}:
            raise ValueError(f"a tensor of the shape {list(tensor.shape)} for {size} documents")
        scores += tensor.values
    return scores
