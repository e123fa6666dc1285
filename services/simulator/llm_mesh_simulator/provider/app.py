"""The simulator as an ASGI application: it finds the endpoint of a path, and leaves the rest to the exchange."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.behaviours import Behaviours
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError
from llm_mesh_simulator.domain.log import Log
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.domain.script import NAMES
from llm_mesh_simulator.provider import admin
from llm_mesh_simulator.provider.anthropic import headers as anthropic_headers
from llm_mesh_simulator.provider.anthropic import models as anthropic_models
from llm_mesh_simulator.provider.bedrock import headers as bedrock_headers
from llm_mesh_simulator.provider.bedrock import models as bedrock_models
from llm_mesh_simulator.provider.cohere import models as cohere_models
from llm_mesh_simulator.provider.connection import AsgiRequest, Receive, Scope, Send
from llm_mesh_simulator.provider.delivery import deliver
from llm_mesh_simulator.provider.dialects import (
    ServedDialect,
    anthropic,
    bedrock,
    cohere,
    endpoint_of,
    endpoints,
    gemini,
    last_two,
    ollama,
    openai,
)
from llm_mesh_simulator.provider.exchange import Exchanges
from llm_mesh_simulator.provider.gemini import headers as gemini_headers
from llm_mesh_simulator.provider.gemini import models as gemini_models
from llm_mesh_simulator.provider.ollama import models as ollama_models
from llm_mesh_simulator.provider.openai import headers as openai_headers
from llm_mesh_simulator.provider.openai import models as openai_models
from llm_mesh_simulator.provider.reply import JSON, Reply

_BODY_LIMIT = 33_554_432
_BEDROCK_LISTS = ("/foundation-models", "/async-invoke")
_OLLAMA_LISTS = ("/api/tags", "/api/show")
_COHERE = "/cohere/"
"""What an address of Cohere's dialect begins with here: its list of models has the path of OpenAI's."""


class Simulator:
    """A deterministic provider in several dialects."""

    def __init__(self, log: Log, *, api_key: str = "", keep_requests: int = 256) -> None:
        self._log = log
        behaviours, cache = Behaviours(), PromptCache()
        self._behaviours = behaviours
        self._exchanges = Exchanges(behaviours, log, api_key=api_key, body_limit=_BODY_LIMIT, keep_requests=keep_requests)
        self._admin = admin.Admin(behaviours, log, self._exchanges, cache)
        self._endpoints = endpoints(cache)
        self._openai, self._anthropic, self._gemini = openai(), anthropic(), gemini()
        self._ollama, self._cohere, self._bedrock = ollama(), cohere(), bedrock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        connection = AsgiRequest(receive, send)
        path: str = scope["path"]
        endpoint = endpoint_of(self._endpoints, path, scope.get("query_string", b"").decode("latin-1"))
        if endpoint is not None and scope["method"] == "POST":
            await self._exchanges.serve(scope, connection, endpoint)
            return
        body = await connection.body(_BODY_LIMIT)
        await deliver(connection, self._other(scope, path, body), Behaviour())

    def _other(self, scope: Scope, path: str, body: bytes) -> Reply:
        """Everything that is not a request for tokens."""
        method: str = scope["method"]
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        if path.startswith(admin.PREFIX):
            return self._admin.answer(method, path, query, body)
        if path in {"/healthz", "/readyz"}:
            return Reply(200, [JSON], b'{"status":"ok"}')
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        dialect = self._spoken(path, headers, query)
        request = self._exchanges.identity().request
        try:
            self._exchanges.check_key(dialect, headers)
            if method == "GET" and path in _BEDROCK_LISTS:
                return Reply(200, [*bedrock_headers.headers(request), JSON], orjson.dumps(self._listed(path)))
            if dialect is self._ollama and method == "POST":
                return ollama_models.show(body, request)
            return self._models(dialect, method, path, query, request)
        except RefusedError as error:
            return dialect.refusal(error, request)

    def _spoken(self, path: str, headers: Mapping[str, str], query: Mapping[str, str]) -> ServedDialect:
        """The dialect of a list, which the path or a header tells."""
        if path in _BEDROCK_LISTS:
            return self._bedrock
        if last_two(path) in _OLLAMA_LISTS:
            return self._ollama
        if path.startswith(_COHERE):
            return self._cohere
        if "anthropic-version" in headers:
            return self._anthropic
        return self._gemini if "x-goog-api-key" in headers or "pageSize" in query else self._openai

    def _listed(self, path: str) -> object:
        return bedrock_models.models(self._known()) if path == _BEDROCK_LISTS[0] else bedrock_models.calls()

    def _known(self) -> list[str]:
        return list(dict.fromkeys((*NAMES, *self._behaviours.all())))

    def _models(self, dialect: ServedDialect, method: str, path: str, query: Mapping[str, str], request: str) -> Reply:
        known = self._known()
        if dialect is self._ollama:
            return ollama_models.tags(known, request)
        _, separator, name = path.partition("/models")
        if not separator or (name and not name.startswith("/")):
            raise RefusedError(f"Invalid URL ({method} {path})", kind=RefusalKind.NOT_FOUND)
        if method != "GET":
            raise RefusedError(f"Not allowed to {method} on {path}", kind=RefusalKind.METHOD, code="method_not_supported")
        if dialect is self._cohere:
            return cohere_models.models(known, query, request)
        model_id = name.removeprefix("/")
        if model_id and model_id not in known:
            message = f"The model '{model_id}' does not exist" if dialect is self._openai else f"model: {model_id}"
            raise RefusedError(message, kind=RefusalKind.NOT_FOUND, param="model", code="model_not_found")
        if dialect is self._anthropic:
            shown = anthropic_models.model(model_id) if model_id else anthropic_models.models(known, query)
            return Reply(200, [*anthropic_headers.headers(request), JSON], orjson.dumps(shown))
        if dialect is self._gemini:
            vertex = "/publishers/" in path
            shown = gemini_models.model(model_id) if model_id else gemini_models.models(known, query, vertex=vertex)
            return Reply(200, [*gemini_headers.headers(request), JSON], orjson.dumps(shown))
        shown = openai_models.model(model_id) if model_id else openai_models.models(known)
        return Reply(200, [*openai_headers.headers(request), JSON], orjson.dumps(shown))
