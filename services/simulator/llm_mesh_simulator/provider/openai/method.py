"""An answer to a method with one input and one output: a document that is known once its request is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

Document = dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """What is answered, and what it used."""

    document: Callable[[AnswerIdentity, Usage | None], Document]
    """Given whose answer it is, and the usage that it reports."""
    prompt_tokens: int
    output_tokens: int = 0
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The document."""
        used = reported(Usage(self.prompt_tokens, self.output_tokens), behaviour)
        body = orjson.dumps(self.document(identity, used))
        return Reply(200, [*headers(identity.request, tokens=self.prompt_tokens), JSON], body, self.output_tokens, used)
