"""What tokens cost at one price version: at most, before the request; exactly, after it."""

from dataclasses import dataclass, fields

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_figures.money import line_amount, reserve_amount


@dataclass(frozen=True, slots=True)
class Rates:
    """A price version's figures, in nanos per million. Kept with each reservation, so that a charge needs no other service."""

    input: int
    output: int
    cached: int
    cache_write: int
    reasoning: int
    audio_input: int
    audio_output: int
    request: int

    @classmethod
    def of(cls, price: registry_pb2.Price) -> "Rates":
        """The rates of a price version, with what is unset filled in as the contract says."""
        plain_in, plain_out = price.input_nanos_per_million, price.output_nanos_per_million

        def price_of(field: str, default: int) -> int:
            name = f"{field}_nanos_per_million"
            return int(getattr(price, name)) if price.HasField(name) else default

        return cls(
            input=plain_in,
            output=plain_out,
            cached=price_of("cached_input", plain_in),
            cache_write=price_of("cache_write", plain_in),
            reasoning=price_of("reasoning", plain_out),
            audio_input=price_of("audio_input", plain_in),
            audio_output=price_of("audio_output", plain_out),
            request=price.request_nanos_per_million,
        )

    def is_exceeded_by(self, other: "Rates") -> bool:
        """Whether another price is above this one in any component."""
        return any(getattr(other, field.name) > getattr(self, field.name) for field in fields(self))

    def worst(self, input_tokens: int, output_tokens: int) -> int:
        """The most that an attempt can cost: every token at its dearest rate, rounded up once."""
        dearest_in = max(self.input, self.cached, self.cache_write, self.audio_input)
        dearest_out = max(self.output, self.reasoning, self.audio_output)
        return reserve_amount(input_tokens * dearest_in + output_tokens * dearest_out + self.request, 1)

    def charge(self, usage: generate_pb2.Usage) -> int:
        """What an attempt did cost, rounded half to even once."""
        return line_amount(self._total(usage), 1)

    def charge_up(self, usage: generate_pb2.Usage) -> int:
        """What an attempt cost by an estimate, rounded up once, so that many small estimates are never less than the whole."""
        return reserve_amount(self._total(usage), 1)

    def _total(self, usage: generate_pb2.Usage) -> int:
        """The cost in millionths of nanos.

        The parts of a sum are taken out of it in a fixed order and never exceed it: whatever a provider reports, no token
        is paid twice.
        """
        inputs, outputs = usage.input_tokens, usage.output_tokens
        cached = min(usage.cached_input_tokens, inputs)
        written = min(usage.cache_write_input_tokens, inputs - cached)
        audio = min(usage.audio_input_tokens, inputs - cached - written)
        spoken = min(usage.audio_output_tokens, outputs)
        thought = min(usage.reasoning_output_tokens, outputs - spoken)
        return (
            (inputs - cached - written - audio) * self.input
            + cached * self.cached
            + written * self.cache_write
            + audio * self.audio_input
            + (outputs - spoken - thought) * self.output
            + spoken * self.audio_output
            + thought * self.reasoning
            + self.request
        )


FREE = Rates(0, 0, 0, 0, 0, 0, 0, 0)
