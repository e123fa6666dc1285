"""The contents of a request: tokens, and which text an echo repeats."""

from dataclasses import dataclass, field

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_ROLES = frozenset({"user", "model", "function"})


@dataclass(slots=True)
class ContentsPrompt:
    """What a request says."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False
    contents: list[tuple[str, list[RequestFields]]] = field(default_factory=list)

    def read(self, body: RequestFields) -> None:
        """Counts instruction and tools, and reads the contents."""
        instruction = body.member("systemInstruction")
        for part in instruction.objects("parts") if instruction is not None else ():
            self._take(part.text_or("text") or "")
        for tool in body.objects("tools"):
            self._take(orjson.dumps(tool.values).decode())
        if not body.array("contents"):
            raise RefusedError("* GenerateContentRequest.contents: contents is not specified", param="contents")
        for content in body.objects("contents"):
            self._content(content)

    def _content(self, content: RequestFields) -> None:
        role = content.text_or("role") or "user"
        if role not in _ROLES:
            raise RefusedError("Please use a valid role: user, model.", param=content.path("role"))
        parts = list(content.objects("parts"))
        if not parts:
            raise RefusedError(f"* GenerateContentRequest.{content.path('parts')}: contents.parts must not be empty.")
        self.tokens += tokens.PER_MESSAGE
        texts = [self._part(part) for part in parts]
        self.contents.append((role, parts))
        if role != "model":
            self.text = "".join(texts)
            self.after_tool = any(part.values.get("functionResponse") is not None for part in parts)

    def _part(self, part: RequestFields) -> str:
        text = part.text_or("text")
        if text is not None:
            return self._take(text)
        inline, file = part.member("inlineData"), part.member("fileData")
        if inline is not None or file is not None:
            return self._medium(inline, file)
        if (call := part.member("functionCall")) is not None:
            self._take(call.text("name") + orjson.dumps(call.values.get("args") or {}).decode())
            return ""
        if (response := part.member("functionResponse")) is not None:
            return self._response(response)
        if not part.values:
            raise RefusedError(f"{part.path('data')}: required oneof field 'data' must have one initialized field")
        self._take(orjson.dumps(part.values).decode())
        return ""

    def _medium(self, inline: RequestFields | None, file: RequestFields | None) -> str:
        kind = inline.text("mimeType") if inline is not None else file.text("mimeType") if file is not None else ""
        if inline is not None:
            inline.text("data")
        image, sound = kind.startswith("image/"), kind.startswith("audio/")
        self.tokens += tokens.PER_IMAGE if image else tokens.PER_AUDIO if sound else tokens.PER_FILE
        return ""

    def _response(self, response: RequestFields) -> str:
        response.text("name")
        value = response.member("response")
        if value is None:
            raise response.missing("response")
        result = value.values.get("output", value.values.get("error"))
        return self._take(result if isinstance(result, str) else orjson.dumps(value.values).decode())

    def _take(self, text: str) -> str:
        self.tokens += tokens.count(text)
        return text
