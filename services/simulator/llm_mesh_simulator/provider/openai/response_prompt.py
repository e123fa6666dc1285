"""The input of a Responses request: how many tokens it has, which text an echo repeats, and whether its items fit together."""

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_ROLES: Final = ("user", "assistant", "system", "developer")
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_TEXTS: Final = {"input_text": "text", "output_text": "text", "refusal": "refusal"}


def encrypted(model: str, item_id: str) -> str:
    """What proves that an item of reasoning came from this model of this simulator."""
    return b64encode(sha256(f"{model.partition('/')[0]}\0{item_id}".encode()).digest() * 2).decode()


@dataclass(slots=True)
class ResponsePrompt:
    """What a request says."""

    model: str
    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False
    _calls: set[str] = field(default_factory=set)
    _outputs: set[str] = field(default_factory=set)

    def read(self, body: RequestFields) -> None:
        """Reads and checks instructions and items."""
        if instructions := body.text_or("instructions"):
            self.tokens += tokens.count(instructions) + tokens.PER_MESSAGE
        prompt = body.values.get("input")
        if isinstance(prompt, str):
            self._say("user", prompt)
            return
        if prompt is None:
            raise body.missing("input")
        items = list(body.objects("input"))
        for place, item in enumerate(items):
            self._item(item, last=place == len(items) - 1)
        if missing := self._calls - self._outputs:
            raise RefusedError(f"No tool output found for function call {min(missing)}.", param="input")

    def _item(self, item: RequestFields, *, last: bool) -> None:
        kind = item.text_or("type") or "message"
        if kind == "message":
            self._message(item)
        elif kind in _CALLS:
            self._calls.add(item.text("call_id"))
            words = item.text("name"), item.text("arguments" if kind == "function_call" else "input")
            self.tokens += sum(map(tokens.count, words)) + tokens.PER_MESSAGE
        elif kind in _OUTPUTS:
            self._output(item)
        elif kind == "reasoning":
            self._reasoning(item, last=last)
        elif kind == "item_reference":
            raise _not_stored(item.text("id"))
        else:
            self.tokens += tokens.count(orjson.dumps(item.values).decode())

    def _message(self, item: RequestFields) -> None:
        role = item.text("role")
        if role not in _ROLES:
            known = ", ".join(f"'{each}'" for each in _ROLES)
            raise RefusedError(f"Invalid value: '{role}'. Supported values are: {known}.", param=item.path("role"), code="invalid_value")
        self._say(role, self._content(item, "content"))

    def _say(self, role: str, text: str) -> None:
        self.tokens += tokens.count(text) + tokens.PER_MESSAGE
        if role == "user":
            self.text, self.after_tool = text, False

    def _output(self, item: RequestFields) -> None:
        call_id = item.text("call_id")
        if call_id not in self._calls:
            raise RefusedError(f"No tool call found for function call output with call_id {call_id}.", param=item.path("call_id"))
        self._outputs.add(call_id)
        self.text, self.after_tool = self._content(item, "output"), True
        self.tokens += tokens.count(self.text) + tokens.PER_MESSAGE

    def _reasoning(self, item: RequestFields, *, last: bool) -> None:
        item_id, proof = item.text("id"), item.text_or("encrypted_content")
        item.array("summary")
        if proof is None:
            raise _not_stored(item_id)
        if proof != encrypted(self.model, item_id):
            message = f"The encrypted content for item {item_id} could not be verified."
            raise RefusedError(message, param=item.path("encrypted_content"), code="invalid_encrypted_content")
        if last:
            message = f"Item '{item_id}' of type 'reasoning' was provided without its required following item."
            raise RefusedError(message, param="input")

    def _content(self, item: RequestFields, key: str) -> str:
        content = item.values.get(key)
        if content is None:
            raise item.missing(key)
        if isinstance(content, str):
            return content
        return "".join([self._part(part) for part in item.objects(key)])

    def _part(self, part: RequestFields) -> str:
        kind = part.text("type")
        if kind in _TEXTS:
            return part.text(_TEXTS[kind])
        if kind == "input_image":
            self.tokens += tokens.PER_IMAGE_LOW if part.text("detail") == "low" else tokens.PER_IMAGE
        elif kind == "input_audio":
            self.tokens += tokens.PER_AUDIO
        elif kind == "input_file":
            self.tokens += tokens.PER_FILE
        else:
            known = "'input_text', 'input_image', 'output_text', 'refusal', 'input_file', 'input_audio'"
            raise RefusedError(f"Invalid value: '{kind}'. Supported values are: {known}.", param=part.path("type"), code="invalid_value")
        return ""


def _not_stored(item_id: str) -> RefusedError:
    message = f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false."
    return RefusedError(message, kind=RefusalKind.NOT_FOUND, param="input")
