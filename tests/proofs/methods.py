"""Every method with one input and one output, from the contract, with an input of each: what proofs ask of all of them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.registry.v1 import registry_pb2
from tests.conformance.wires import ENDPOINT
from tests.proofs.stand import model

IMAGE_PRICE, CHARACTER_PRICE, SECOND_PRICE, SEARCH_PRICE = 20_000_000_000_000, 15_000_000_000, 100_000_000_000, 2_000_000_000_000
SOUND_RATE = 8_000
_SERVICE = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]
_CONVERSATIONS = frozenset({"Generate", "Embed"})
"""Methods with proofs of their own."""


class ProvenMethod(NamedTuple):
    """One method as proofs ask it."""

    rpc: str
    input: Callable[[str, int], Any]
    """An input for an alias; the number makes it larger."""
    wrong: Mapping[str, Callable[[Any], None]]
    """By the field that the caller is told: what spoils an input."""
    adapter: str = "openai"
    """Over whose wire."""

    @property
    def slug(self) -> str:
        """The method and the wire, in names."""
        return f"{self.operation.replace('_', '-')}-{self.adapter}"

    @property
    def operation(self) -> str:
        """As the ledger names it."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.rpc).lower()

    def request(self, alias: str, size: int = 1, **options: Any) -> Any:
        """A request of the gateway."""
        made = getattr(gateway_pb2, f"{self.rpc}Request")(options=gateway_pb2.RequestOptions(**options))
        made.input.CopyFrom(self.input(alias, size))
        return made


def methods_of_the_contract() -> set[str]:
    """The methods of the gateway that answer an input once, with a receipt."""
    return {
        method.name
        for method in _SERVICE.methods
        if "receipt" in method.output_type.fields_by_name and not method.server_streaming and method.name not in _CONVERSATIONS
    }


def method_model(method: ProvenMethod, name: str, upstream: str, **fields: Any) -> registry_pb2.Model:
    """A model that can do the method, with a price for all that it may be billed for."""
    made = model(name, upstream, **{"endpoint": "simulator" if method.adapter == "openai" else ENDPOINT} | fields)
    made.adapter = method.adapter
    del made.capabilities[:]
    made.capabilities.extend([method.operation, "image_input"])
    made.image_tokens = 1_000
    made.price.images.add(size="1024x1024", quality="low", image_nanos_per_million=IMAGE_PRICE)
    made.price.images.add(image_nanos_per_million=2 * IMAGE_PRICE)
    made.price.audio_input_second_nanos_per_million = SECOND_PRICE
    made.price.character_nanos_per_million = CHARACTER_PRICE
    made.price.search_unit_nanos_per_million = SEARCH_PRICE
    return made


def text(said: str) -> content_pb2.Part:
    """A part."""
    return content_pb2.Part(text=content_pb2.Text(text=said))


def _rerank(alias: str, size: int) -> rerank_pb2.RerankInput:
    made = rerank_pb2.RerankInput(model=alias, query="a red house")
    for number in range(1 + size):
        made.documents.add(text=f"document {number} of a house")
    return made


def _moderate(alias: str, size: int) -> moderate_pb2.ModerateInput:
    made = moderate_pb2.ModerateInput(model=alias)
    for number in range(size):
        made.items.add(parts=[text(f"item {number} without violence")])
    return made


def _assess(alias: str, size: int) -> assess_pb2.AssessInput:
    made = assess_pb2.AssessInput(model=alias)
    made.state.add(role=content_pb2.ROLE_USER, parts=[text("the house is red")])
    for number in range(size):
        made.questions.add(name=f"q{number}", instructions=[text("Is it red?")], predicate=assess_pb2.PredicateQuestion())
    choice = made.questions.add(instructions=[text("Which colour?")]).choice
    choice.options.add(text="red")
    choice.options.add(truth=True)
    score = made.questions.add(instructions=[text("How red?")]).score
    score.levels.add(label="pale")
    score.levels.add(label="bright")
    return made


def _generate_image(alias: str, size: int) -> generate_image_pb2.GenerateImageInput:
    return generate_image_pb2.GenerateImageInput(model=alias, prompt="a red house", count=min(size, 10), size="1024x1024", quality="low")


def _speak(alias: str, size: int) -> sound_pb2.SpeakInput:
    return sound_pb2.SpeakInput(model=alias, text="The house is red. " * size, voice="alloy", format="wav")


def _transcribe(alias: str, size: int) -> sound_pb2.TranscribeInput:
    made = sound_pb2.TranscribeInput(model=alias, segments=True, languages=["en"], keywords=["house"])
    samples = bytes(SOUND_RATE * 2 * size)
    form = struct.pack("<IHHIIHH", 16, 1, 1, SOUND_RATE, 2 * SOUND_RATE, 2, 16)
    riff = b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(samples))
    made.sound.data, made.sound.mime_type, made.sound.filename = riff + samples, "audio/wav", "house.wav"
    return made


METHODS: Mapping[str, ProvenMethod] = {
    each.rpc: each
    for each in (
        ProvenMethod("Rerank", _rerank, {
            "input.query": lambda made: made.ClearField("query"),
            "input.documents": lambda made: made.ClearField("documents"),
            "input.documents[0]": lambda made: made.documents[0].ClearField("text"),
            "input.top_n": lambda made: setattr(made, "top_n", -1),
            "input.max_tokens_per_document": lambda made: setattr(made, "max_tokens_per_document", -1),
        }),
        ProvenMethod("Moderate", _moderate, {
            "input.items": lambda made: made.ClearField("items"),
            "input.items[0].parts": lambda made: made.items[0].ClearField("parts"),
            "input.items[0].parts[0]": lambda made: made.items[0].parts[0].tool_call.CopyFrom(content_pb2.ToolCall(id="a")),
        }),
        ProvenMethod("Assess", _assess, {
            "input.state": lambda made: made.ClearField("state"),
            "input.state[0].role": lambda made: made.state[0].ClearField("role"),
            "input.questions": lambda made: made.ClearField("questions"),
            "input.questions[0]": lambda made: made.questions[0].ClearField("predicate"),
            "input.questions[0].instructions": lambda made: made.questions[0].ClearField("instructions"),
            "input.questions[1].name": lambda made: setattr(made.questions[1], "name", made.questions[0].name),
            "input.questions[1].choice.options": lambda made: made.questions[1].choice.options.pop(),
            "input.questions[1].choice.options[1]": lambda made: setattr(made.questions[1].choice.options[1], "text", "red"),
            "input.questions[2].score.levels[0]": lambda made: made.questions[2].score.levels[0].ClearField("label"),
        }),
        ProvenMethod("GenerateImage", _generate_image, {
            "input.prompt": lambda made: made.ClearField("prompt"),
            "input.count": lambda made: setattr(made, "count", 11),
            "input.size": lambda made: setattr(made, "size", "x" * 33),
            "input.background": lambda made: setattr(made, "background", "green"),
            "input.compression": lambda made: setattr(made, "compression", 101),
            "input.images[0].data": lambda made: made.images.add(uri="https://example.org/house.png"),
            "input.mask": lambda made: made.mask.CopyFrom(content_pb2.Media(data=b"x", mime_type="image/png")),
        }),
        ProvenMethod("Transcribe", _transcribe, {
            "input.sound": lambda made: made.ClearField("sound"),
            "input.sound.data": lambda made: setattr(made.sound, "uri", "https://example.org/house.wav"),
            "input.temperature": lambda made: setattr(made, "temperature", 2),
            "input.prompt": lambda made: setattr(made, "prompt", "x" * 16_385),
        }),
        ProvenMethod("Speak", _speak, {
            "input.text": lambda made: made.ClearField("text"),
            "input.voice": lambda made: made.ClearField("voice"),
            "input.format": lambda made: setattr(made, "format", "midi"),
            "input.speed": lambda made: setattr(made, "speed", 5),
        }),
    )
}  # fmt: skip
WAYS: Mapping[str, ProvenMethod] = {**METHODS, "Rerank at cohere": METHODS["Rerank"]._replace(adapter="cohere")}
"""Each method over each wire that has it."""
INPUTS = policy_pb2.AdmitRequest.DESCRIPTOR.oneofs_by_name["input"].fields
