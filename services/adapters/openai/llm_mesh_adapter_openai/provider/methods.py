"""The methods that servers of the dialect have beside chat and embeddings, each by the pure translators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from llm_mesh.inference.v1 import assess_pb2, generate_image_pb2, generate_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import unsupported
from llm_mesh_adapter_kit.methods import AnsweredMethod, DialectMethod, DialectMethods
from llm_mesh_adapter_openai.provider.bodies import answered_by, understood
from llm_mesh_adapter_openai.provider.rows import GENERIC, OpenAIProvider
from llm_mesh_adapter_openai.provider.saying import allowance_of, path_of, sayable
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.forms import MultipartForm
from llm_mesh_dialects.openai.reranking import FORMS, RerankForm


class OpenAIMethods:
    """Methods at every server that speaks them."""

    def __init__(self, rows: Mapping[str, OpenAIProvider]) -> None:
        self._rows = rows

    def all(self) -> DialectMethods:
        """By the name of the RPC."""
        return {
            "Rerank": DialectMethod(self._rerank, self._reranked),
            "Moderate": DialectMethod(self._moderate, self._moderated),
            "Assess": DialectMethod(self._assess, self._assessed),
            "GenerateImage": DialectMethod(self._draw, self._drawn),
            "Transcribe": DialectMethod(self._transcribe, self._transcribed),
            "Speak": DialectMethod(self._speak, self._spoken),
        }

    def _rerank(self, ask: Ask, request: rerank_pb2.RerankInput) -> Call:
        form = self._form(ask.endpoint)
        body, translations = sayable(
            lambda: openai.reranking.input_to_body(request, form, model=ask.model, allowance=allowance_of(ask.endpoint))
        )
        return Call(form.path, orjson.dumps(body), translations=translations, at_origin=form.at_origin)

    def _reranked(self, answer: AnsweredMethod, request: rerank_pb2.RerankInput, output: rerank_pb2.RerankOutput) -> None:
        form, body = self._form(answer.endpoint), self._parsed(answer)
        understood(answer.endpoint, lambda: openai.reranking.body_into_output(body, request, form, output))

    def _moderate(self, ask: Ask, request: moderate_pb2.ModerateInput) -> Call:
        row = self._having(ask.endpoint, "moderations")
        body, translations = sayable(
            lambda: openai.moderations.input_to_body(request, model=ask.model, allowance=allowance_of(ask.endpoint))
        )
        return Call(path_of(row, ask.model, "/moderations"), orjson.dumps(body), translations=translations)

    def _moderated(self, answer: AnsweredMethod, request: moderate_pb2.ModerateInput, output: moderate_pb2.ModerateOutput) -> None:
        body = self._parsed(answer)
        understood(answer.endpoint, lambda: openai.moderations.body_into_output(body, request, output))

    def _assess(self, ask: Ask, request: assess_pb2.AssessInput) -> Call:
        row = self._having(ask.endpoint, "decisions")
        body, translations = sayable(lambda: openai.decisions.input_to_body(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
        return Call(path_of(row, ask.model, "/decisions"), orjson.dumps(body), translations=translations)

    def _assessed(self, answer: AnsweredMethod, request: assess_pb2.AssessInput, output: assess_pb2.AssessOutput) -> None:
        body = self._parsed(answer)
        understood(answer.endpoint, lambda: openai.decisions.body_into_output(body, request, output))

    def _draw(self, ask: Ask, request: generate_image_pb2.GenerateImageInput) -> Call:
        row = self._having(ask.endpoint, "images")
        if request.images:
            return self._edit(ask, row, request)
        body, translations = sayable(lambda: openai.images.input_to_body(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
        return Call(path_of(row, ask.model, "/images/generations"), orjson.dumps(body), translations=translations)

    def _edit(self, ask: Ask, row: OpenAIProvider, request: generate_image_pb2.GenerateImageInput) -> Call:
        form, translations = sayable(lambda: openai.images.edit_to_form(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
        return _form_call(path_of(row, ask.model, "/images/edits"), form, translations)

    def _drawn(
        self,
        answer: AnsweredMethod,
        request: generate_image_pb2.GenerateImageInput,
        output: generate_image_pb2.GenerateImageOutput,
    ) -> None:
        body = self._parsed(answer)
        understood(answer.endpoint, lambda: openai.images.body_into_output(body, request, output))

    def _speak(self, ask: Ask, request: sound_pb2.SpeakInput) -> Call:
        row = self._having(ask.endpoint, "speech")
        body, translations = sayable(lambda: openai.speech.input_to_body(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
        return Call(path_of(row, ask.model, "/audio/speech"), orjson.dumps(body), translations=translations)

    def _spoken(self, answer: AnsweredMethod, request: sound_pb2.SpeakInput, output: sound_pb2.SpeakOutput) -> None:
        understood(answer.endpoint, lambda: openai.speech.body_into_output(answer.body, answer.content_type, request, output))

    def _transcribe(self, ask: Ask, request: sound_pb2.TranscribeInput) -> Call:
        row = self._having(ask.endpoint, "transcriptions")
        form, translations = sayable(
            lambda: openai.transcriptions.input_to_form(request, model=ask.model, allowance=allowance_of(ask.endpoint))
        )
        return _form_call(path_of(row, ask.model, openai.transcriptions.path_of(request)), form, translations)

    def _transcribed(self, answer: AnsweredMethod, _request: sound_pb2.TranscribeInput, output: sound_pb2.TranscribeOutput) -> None:
        body = self._parsed(answer)
        understood(answer.endpoint, lambda: openai.transcriptions.body_into_output(body, output))

    def _parsed(self, answer: AnsweredMethod) -> Any:  # noqa: ANN401 (JSON)
        return answered_by(answer.endpoint, answer.body)

    def _form(self, endpoint: Endpoint) -> RerankForm:
        form = FORMS.get(self._row(endpoint).rerank)
        if form is None:
            raise unsupported(endpoint.name, "reranking")
        return form

    def _having(self, endpoint: Endpoint, method: str) -> OpenAIProvider:
        row = self._row(endpoint)
        if method not in row.methods:
            raise unsupported(endpoint.name, method)
        return row

    def _row(self, endpoint: Endpoint) -> OpenAIProvider:
        return self._rows.get(endpoint.name, GENERIC)


def _form_call(path: str, form: MultipartForm, translations: list[generate_pb2.Translation]) -> Call:
    return Call(path, form.body, headers={"content-type": form.content_type}, translations=translations)
