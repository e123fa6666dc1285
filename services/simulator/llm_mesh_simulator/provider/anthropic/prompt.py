"""The system prompt and the messages of an Anthropic request: tokens, cache points, and which text an echo repeats."""

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.question import CachePoint
from llm_mesh_simulator.provider.fields import RequestFields

_MAX_CACHE_POINTS: Final = 4
_NESTED: Final = frozenset({"tool_result", "search_result"})


def signature(thinking: str) -> str:
    """What proves that a block of thinking came from this simulator."""
    return b64encode(sha256(b"simulator\x00" + thinking.encode()).digest() * 2).decode()


@dataclass(slots=True)
class Prompt:
    """What an Anthropic request says, in the order in which a cache sees it: tools, system, messages."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False
    cache_points: list[CachePoint] = field(default_factory=list)
    _seen: bytes = b""

    def tools(self, body: RequestFields) -> None:
        """Counts the definitions of the tools."""
        for tool in body.objects("tools"):
            self.tokens += tokens.count(orjson.dumps(tool.values).decode())
            self._mark(tool)

    def system(self, body: RequestFields) -> None:
        """Reads the system prompt."""
        if isinstance(body.values.get("system"), str):
            self._take(body.text("system"))
            return
        for block in body.objects("system"):
            self._take(block.text("text"))
            self._mark(block)

    def messages(self, body: RequestFields) -> None:
        """Reads and checks the messages."""
        if body.array("messages") is None:
            raise body.missing("messages")
        for message in body.objects("messages"):
            role = message.text("role")
            if role not in {"user", "assistant", "system"}:
                raise RefusedError(f"{message.path('role')}: Input should be 'user' or 'assistant'")
            self.tokens += tokens.PER_MESSAGE
            self._message(message, role)
        if not body.array("messages"):
            raise RefusedError("messages: at least one message is required")
        if len(self.cache_points) > _MAX_CACHE_POINTS:
            count = len(self.cache_points)
            raise RefusedError(f"A maximum of 4 blocks with cache_control may be provided. Found {count}.")

    def top_level_cache(self, body: RequestFields) -> None:
        """A `cache_control` of the request itself caches everything."""
        self._mark(body)

    def _message(self, message: RequestFields, role: str) -> None:
        content = message.values.get("content")
        texts: list[str] = []
        results = False
        if content is None:
            raise message.missing("content")
        if isinstance(content, str):
            self._take(content)
            texts.append(content)
        else:
            for block in message.objects("content"):
                results = results or block.values.get("type") == "tool_result"
                texts.append(self._block(block))
                self._mark(block)
        if role == "user":
            self.text = "".join(texts)
            self.after_tool = results

    def _block(self, block: RequestFields) -> str:
        kind = block.text("type")
        if kind == "text":
            return self._take(block.text("text"))
        if kind == "image":
            if block.member("source") is None:
                raise block.missing("source")
            self.tokens += tokens.PER_IMAGE
            return ""
        if kind == "document":
            return self._document(block)
        if kind in _NESTED:
            return self._nested(block, kind)
        self._silent(block, kind)
        return ""

    def _nested(self, block: RequestFields, kind: str) -> str:
        if kind == "tool_result":
            self._take(block.text("tool_use_id"))
        inner = block.values.get("content")
        if isinstance(inner, str):
            return self._take(inner)
        return "".join([self._block(each) for each in block.objects("content")])

    def _silent(self, block: RequestFields, kind: str) -> None:
        """Blocks that count, and that an echo does not repeat."""
        if kind == "tool_use":
            self._take(block.text("name") + orjson.dumps(block.values.get("input", {})).decode())
        elif kind == "thinking":
            thinking = block.text("thinking")
            if thinking and block.text("signature") != signature(thinking):
                raise RefusedError(f"{block.path('signature')}: Invalid `signature` in `thinking` block")
            self._take(thinking)

    def _document(self, block: RequestFields) -> str:
        source = block.member("source")
        if source is None:
            raise block.missing("source")
        if source.text("type") == "text":
            self._take(source.text("data"))
        else:
            self.tokens += tokens.PER_FILE
        return ""

    def _take(self, text: str) -> str:
        self.tokens += tokens.count(text)
        self._seen = sha256(self._seen + text.encode()).digest()
        return text

    def _mark(self, block: RequestFields) -> None:
        control = block.member("cache_control")
        self._seen = sha256(self._seen + orjson.dumps({k: v for k, v in block.values.items() if k in {"type", "name", "source"}})).digest()
        if control is None:
            return
        if control.text("type") != "ephemeral":
            raise RefusedError(f"{control.path('type')}: Input should be 'ephemeral'")
        self.cache_points.append(CachePoint(self._seen, self.tokens, hour=control.text_or("ttl") == "1h"))
