"""The endpoints of all dialects: which reader and which error shapes belong to a path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.provider.anthropic import errors as anthropic_errors
from llm_mesh_simulator.provider.anthropic import messages
from llm_mesh_simulator.provider.bedrock import converse
from llm_mesh_simulator.provider.bedrock import embeddings as bedrock_embeddings
from llm_mesh_simulator.provider.bedrock import errors as bedrock_errors
from llm_mesh_simulator.provider.cohere import chat as cohere_chat
from llm_mesh_simulator.provider.cohere import embed as cohere_embed
from llm_mesh_simulator.provider.cohere import errors as cohere_errors
from llm_mesh_simulator.provider.cohere import rerank as cohere_rerank
from llm_mesh_simulator.provider.fields import Phrasing, RequestFields
from llm_mesh_simulator.provider.gemini import embeddings as gemini_embeddings
from llm_mesh_simulator.provider.gemini import errors as gemini_errors
from llm_mesh_simulator.provider.gemini import generate
from llm_mesh_simulator.provider.ollama import chat as ollama_chat
from llm_mesh_simulator.provider.ollama import embed as ollama_embed
from llm_mesh_simulator.provider.ollama import errors as ollama_errors
from llm_mesh_simulator.provider.openai import (
    chat,
    decisions,
    embeddings,
    images,
    moderations,
    reranking,
    responses,
    speech,
    transcriptions,
)
from llm_mesh_simulator.provider.openai import errors as openai_errors
from llm_mesh_simulator.provider.reply import PreparedAnswer, Reply


@dataclass(frozen=True, slots=True)
class ServedDialect:
    """What is common to the endpoints of a provider."""

    name: str
    phrasing: Phrasing
    refusal: Callable[[RefusedError, str], Reply]
    failure: Callable[[Behaviour, str], Reply]
    credential: Callable[[Mapping[str, str]], str]
    """The key that the headers carry; empty when there is none."""
    check: Callable[[Mapping[str, str]], None]
    """What the dialect demands of the headers."""


@dataclass(frozen=True, slots=True)
class ServedPath:
    """One path that answers POST."""

    dialect: ServedDialect
    read: Callable[[RequestFields], PreparedAnswer]


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else headers.get("api-key", "")


def _x_api_key(headers: Mapping[str, str]) -> str:
    return headers.get("x-api-key", "") or _bearer(headers)


def _aws(headers: Mapping[str, str]) -> str:
    """A bearer key, or the id of the access key of a signature."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return _bearer(headers)
    return rest.partition("Credential=")[2].partition("/")[0]


def _x_goog_api_key(headers: Mapping[str, str]) -> str:
    return headers.get("x-goog-api-key", "") or _bearer(headers)


def _version(headers: Mapping[str, str]) -> None:
    if "anthropic-version" not in headers:
        raise RefusedError("anthropic-version: header is required", kind=RefusalKind.INVALID)


def _nothing(headers: Mapping[str, str]) -> None:
    """No header is demanded beside the key."""


def openai() -> ServedDialect:
    """The OpenAI dialect."""
    return ServedDialect("openai", openai_errors.OpenAIPhrasing(), openai_errors.refusal, openai_errors.failure, _bearer, _nothing)


def anthropic() -> ServedDialect:
    """The Anthropic dialect."""
    phrasing = anthropic_errors.AnthropicPhrasing()
    return ServedDialect("anthropic", phrasing, anthropic_errors.refusal, anthropic_errors.failure, _x_api_key, _version)


def bedrock() -> ServedDialect:
    """Bedrock's dialect."""
    return ServedDialect("bedrock", bedrock_errors.BedrockPhrasing(), bedrock_errors.refusal, bedrock_errors.failure, _aws, _nothing)


def ollama() -> ServedDialect:
    """Ollama's own dialect."""
    return ServedDialect("ollama", ollama_errors.OllamaPhrasing(), ollama_errors.refusal, ollama_errors.failure, _bearer, _nothing)


def cohere() -> ServedDialect:
    """Version 2 of Cohere's dialect."""
    return ServedDialect("cohere", cohere_errors.CoherePhrasing(), cohere_errors.refusal, cohere_errors.failure, _bearer, _nothing)


def gemini() -> ServedDialect:
    """The Gemini dialect."""
    phrasing = gemini_errors.GeminiPhrasing()
    return ServedDialect("gemini", phrasing, gemini_errors.refusal, gemini_errors.failure, _x_goog_api_key, _nothing)


def endpoint_of(known: Mapping[str, ServedPath], path: str, query: str) -> ServedPath | None:
    """The endpoint of a path; None where none answers there.

    Paths of the Gemini dialect end in a model and a method, and those of Vertex name a publisher before; without `alt=sse` they stream
    JSON.
    """
    if "/models/" not in path:
        return known.get(last_two(path)) or known.get(path[path.rfind("/") :])
    method = path.rpartition(":")[2]
    events = "?alt=sse" if method == "streamGenerateContent" and "alt=sse" in query.split("&") else ""
    return known.get(("publishers:" if "/publishers/" in path else ":") + method + events)


def gemini_endpoints() -> Mapping[str, ServedPath]:
    """Those of the Gemini dialect, by what `endpoint_of` makes of their path."""
    dialect = gemini()
    readers: dict[str, Callable[[RequestFields], PreparedAnswer]] = {
        "countTokens": generate.read_count,
        "batchEmbedContents": gemini_embeddings.read_batch,
        "embedContent": gemini_embeddings.read_content,
        "predict": gemini_embeddings.read_predict,
    }
    made = {f"{place}:{method}": ServedPath(dialect, read) for place in ("", "publishers") for method, read in readers.items()}
    for place in ("", "publishers"):
        whole = partial(generate.read, stream=False, vertex=bool(place))
        made[f"{place}:generateContent"] = ServedPath(dialect, whole)
        for end in ("", "?alt=sse"):
            chunked = partial(generate.read, stream=True, events=bool(end), vertex=bool(place))
            made[f"{place}:streamGenerateContent{end}"] = ServedPath(dialect, chunked)
    return made


def endpoints(cache: PromptCache) -> Mapping[str, ServedPath]:
    """The endpoints by the end of their path, since servers mount the same dialect at different places."""
    one, other, third, local, versioned = openai(), anthropic(), bedrock(), ollama(), cohere()
    return {
        **gemini_endpoints(),
        "/chat/completions": ServedPath(one, chat.read),
        "/responses": ServedPath(one, responses.read),
        "/input_tokens": ServedPath(one, responses.read_count),
        "/embeddings": ServedPath(one, embeddings.read),
        "/rerank": ServedPath(one, reranking.read),
        "/moderations": ServedPath(one, moderations.read),
        "/decisions": ServedPath(one, decisions.read),
        "/generations": ServedPath(one, images.read),
        "/edits": ServedPath(one, images.read_edit),
        "/speech": ServedPath(one, speech.read),
        "/transcriptions": ServedPath(one, transcriptions.read),
        "/translations": ServedPath(one, transcriptions.read_translation),
        "/messages": ServedPath(other, lambda body: messages.read(body, cache)),
        "/count_tokens": ServedPath(other, messages.read_count),
        "/converse": ServedPath(third, lambda body: converse.read(body, cache, stream=False)),
        "/converse-stream": ServedPath(third, lambda body: converse.read(body, cache, stream=True)),
        "/count-tokens": ServedPath(third, converse.read_count),
        "/invoke": ServedPath(third, bedrock_embeddings.read),
        "/api/chat": ServedPath(local, ollama_chat.read),
        "/api/embed": ServedPath(local, ollama_embed.read),
        "/v2/chat": ServedPath(versioned, cohere_chat.read),
        "/v2/embed": ServedPath(versioned, cohere_embed.read),
        "/v2/rerank": ServedPath(versioned, cohere_rerank.read),
    }


def last_two(path: str) -> str:
    """The last two words of a path, by which dialects are told apart that name their methods alike: `/api/chat`, `/v2/chat`."""
    return path[path.rfind("/", 0, max(0, path.rfind("/"))) :]
