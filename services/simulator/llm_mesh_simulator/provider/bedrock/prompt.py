"""The system prompt and the messages of a Converse request: tokens, cache points, and which text an echo repeats."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.question import CachePoint
from llm_mesh_simulator.provider.anthropic.prompt import signature
from llm_mesh_simulator.provider.fields import RequestFields

_MAX_CACHE_POINTS: Final = 4
_NAME: Final = re.compile(r"[A-Za-z0-9\-()\[\]]+( [A-Za-z0-9\-()\[\]]+)*")
_MEDIA: Final = {"image": tokens.PER_IMAGE, "video": tokens.PER_FILE, "audio": tokens.PER_AUDIO}


@dataclass(slots=True)
class ConversePrompt:
    """What a request says, in the order in which a cache sees it: tools, system, messages."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False
    has_tools: bool = False
    """Whether the conversation calls tools."""
    cache_points: list[CachePoint] = field(default_factory=list)
    documents: set[str] = field(default_factory=set)
    _seen: bytes = b""

    def tools(self, config: RequestFields | None) -> None:
        """Counts the definitions of the tools."""
        for tool in config.objects("tools") if config is not None else ():
            if not self._cached(tool):
                self._take(orjson.dumps(tool.values).decode())

    def system(self, body: RequestFields) -> None:
        """Reads the system prompt."""
        for block in body.objects("system"):
            if not self._cached(block):
                self._take(self._visible(block))

    def messages(self, body: RequestFields) -> None:
        """Reads and checks the messages."""
        if not body.array("messages"):
            raise body.missing("messages")
        before = ""
        for message in body.objects("messages"):
            role = message.text("role")
            if role not in {"user", "assistant", "system"}:
                raise RefusedError(f"Value '{role}' at '{message.path('role')}' must be one of user, assistant, system")
            if role == before:
                raise RefusedError("A conversation must alternate between user and assistant roles.")
            if not before and role == "assistant":
                raise RefusedError("A conversation must start with a user message. Try again with a conversation that starts with one.")
            before = role
            self.tokens += tokens.PER_MESSAGE
            self._message(message, role)
        if len(self.cache_points) > _MAX_CACHE_POINTS:
            raise RefusedError(f"Found {len(self.cache_points)} cachePoint blocks; at most {_MAX_CACHE_POINTS} are allowed.")

    def _message(self, message: RequestFields, role: str) -> None:
        if not message.array("content"):
            raise message.missing("content")
        texts: list[str] = []
        results, documents, visible = False, False, False
        for block in message.objects("content"):
            results = results or "toolResult" in block.values
            documents = documents or "document" in block.values
            visible = visible or "text" in block.values
            texts.append(self._block(block))
        if documents and not (visible or results):
            raise RefusedError("Messages with documents must contain a text block.")
        if role == "user":
            self.text = "".join(texts)
            self.after_tool = results

    def _block(self, block: RequestFields) -> str:
        if self._cached(block):
            return ""
        if "text" in block.values:
            return self._take(self._visible(block))
        for kind, size in _MEDIA.items():
            if (medium := block.member(kind)) is not None:
                _check_medium(medium)
                self.tokens += size
                return ""
        if (result := block.member("toolResult")) is not None:
            return self._result(result)
        if (cited := block.member("citationsContent")) is not None:
            return "".join([self._take(each.text("text")) for each in cited.objects("content")])
        self._silent(block)
        return ""

    def _silent(self, block: RequestFields) -> None:
        """Blocks that count, and that an echo does not repeat."""
        if (document := block.member("document")) is not None:
            self._document(document)
        elif (use := block.member("toolUse")) is not None:
            self.has_tools = True
            use.text("toolUseId")
            self._take(use.text("name") + orjson.dumps(use.values.get("input", {})).decode())
        elif (thought := block.member("reasoningContent")) is not None:
            self._thought(thought)
        elif block.member("guardContent") is None and block.member("searchResult") is None:
            raise RefusedError(f"The content block at '{block.path('')}' has no kind that this model supports.")

    def _result(self, result: RequestFields) -> str:
        self.has_tools = True
        self._take(result.text("toolUseId"))
        if not result.array("content"):
            raise result.missing("content")
        return "".join([self._take(orjson.dumps(each.values["json"]).decode()) if "json" in each.values else self._block(each)
                        for each in result.objects("content")])  # fmt: skip

    def _thought(self, thought: RequestFields) -> None:
        shown = thought.member("reasoningText")
        if shown is None:
            self._take(thought.text("redactedContent"))
            return
        if shown.text("text") and shown.text("signature") != signature(shown.text("text")):
            raise RefusedError(f"{shown.path('signature')}: Invalid `signature` in `reasoningText` block")
        self._take(shown.text("text"))

    def _document(self, document: RequestFields) -> None:
        name = document.text("name")
        if not _NAME.fullmatch(name) or name in self.documents:
            raise RefusedError(f"The document name '{name}' has characters that are not allowed, or is there twice.")
        self.documents.add(name)
        _check_medium(document)
        self.tokens += tokens.PER_FILE

    def _visible(self, block: RequestFields) -> str:
        text = block.text("text")
        if not text.strip():
            raise RefusedError(f"The text field in the ContentBlock object at '{block.path('text')}' is blank.")
        return text

    def _take(self, text: str) -> str:
        self.tokens += tokens.count(text)
        self._seen = sha256(self._seen + text.encode()).digest()
        return text

    def _cached(self, block: RequestFields) -> bool:
        point = block.member("cachePoint")
        if point is None:
            return False
        if point.text("type") != "default" or point.text_or("ttl") not in {None, "5m", "1h"}:
            raise RefusedError(f"The cache point at '{block.path('cachePoint')}' is not valid.")
        self.cache_points.append(CachePoint(self._seen, self.tokens, hour=point.text_or("ttl") == "1h"))
        return True


def _check_medium(medium: RequestFields) -> None:
    medium.text("format")
    source = medium.member("source")
    if source is None:
        raise medium.missing("source")
    if source.member("s3Location") is None:
        source.text("bytes")
