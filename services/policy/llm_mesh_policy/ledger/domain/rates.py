"""What usage costs at one price version: at most, before the request; exactly, after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_figures.money import MILLION, line_amount, reserve_amount
from llm_mesh_figures.prices import STANDARD, Rated, rate_of
from llm_mesh_policy.ledger.domain.further_rates import FurtherRates, is_dearer, worst_units
from llm_mesh_policy.ledger.domain.units import NO_UNITS, Units

_THOUSANDTHS = 1000 * MILLION
"""Sound is measured in milliseconds and priced by the second: where there is any, sums are of thousandths."""


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
    further: FurtherRates | None = None
    """None: plain tokens and requests are all that it prices, as nearly every price does."""
    variants: tuple["Variant", ...] = ()

    @classmethod
    def of(cls, price: registry_pb2.Price) -> "Rates":
        """The rates of a price version, with what is unset filled in as the contract says."""
        variants = tuple([Variant(each.tier, each.upstream_model, _rates_of(each)) for each in price.variants])
        return _rates_of(price, variants)

    def is_exceeded_by(self, other: "Rates") -> bool:
        """Whether another price is above this one in any component."""
        places = {(each.tier, each.upstream_model) for each in (*self.variants, *other.variants)}
        return self.is_below(other) or any(self.variant(*place).is_below(other.variant(*place)) for place in places)

    def worst(self, input_tokens: int, output_tokens: int, units: Units = NO_UNITS) -> int:
        """The most that an attempt can cost: every token and unit at its dearest rate, rounded up once."""
        dearest_in = max(self.input, self.cached, self.cache_write, self.audio_input)
        dearest_out = max(self.output, self.reasoning, self.audio_output)
        if self.plain:
            return reserve_amount(input_tokens * dearest_in + output_tokens * dearest_out + self.request, 1)
        parts = list(self._parts())
        dearest_in = max([dearest_in, *[max(each.input, each.cached, each.cache_write, each.audio_input) for each in parts]])
        dearest_out = max([dearest_out, *[max(each.output, each.reasoning, each.audio_output) for each in parts]])
        further = [each.further for each in parts if each.further is not None]
        dearest_in = max([dearest_in, *[each.dearest_input for each in further]])
        dearest_out = max([dearest_out, *[each.image_output for each in further]])
        request = max([each.request for each in parts])
        whole = 1000 * (input_tokens * dearest_in + output_tokens * dearest_out + request)
        return reserve_amount(whole + worst_units(further, units), 1, _THOUSANDTHS)

    def charge(self, usage: generate_pb2.Usage) -> int:
        """What an attempt did cost, rounded half to even once."""
        if self.plain:
            return line_amount(self.total(usage), 1)
        return line_amount(self._whole(usage), 1, _THOUSANDTHS)

    def charge_up(self, usage: generate_pb2.Usage) -> int:
        """What an attempt cost by an estimate, rounded up once, so that many small estimates are never less than the whole."""
        if self.plain:
            return reserve_amount(self.total(usage), 1)
        return reserve_amount(self._whole(usage), 1, _THOUSANDTHS)

    def variant(self, tier: int, upstream_model: str) -> "Rates":
        """The rates for a tier and a model: those that name the model, else those that name the tier, else these."""
        tier = 0 if tier == STANDARD else tier
        known = {(each.tier, each.upstream_model): each.rates for each in self.variants}
        known.pop((0, ""), None)
        return known.get((tier, upstream_model)) or known.get((0, upstream_model)) or known.get((tier, "")) or self

    @property
    def plain(self) -> bool:
        """Whether plain tokens and requests are all that it prices."""
        return self.further is None and not self.variants

    @property
    def prices_output(self) -> bool:
        """Whether output tokens cost something."""
        return self.worst(0, 1) > self.worst(0, 0) or any(each.rates.prices_output for each in self.variants)

    @property
    def all_further(self) -> FurtherRates:
        """What it says beyond plain tokens, filled in where it says nothing."""
        written = self.cache_write
        return self.further or FurtherRates(written, written, written, written, self.input, self.output, 0, 0, 0, 0)

    def is_below(self, other: "Rates") -> bool:
        """Whether another price is above this one, variants apart."""
        if any(getattr(other, name) > getattr(self, name) for name in PLAIN):
            return True
        return not (self.further is other.further is None) and is_dearer(other.all_further, self.all_further)

    def _parts(self) -> Iterator["Rates"]:
        yield self
        for each in self.variants:
            yield each.rates

    def _whole(self, usage: generate_pb2.Usage) -> int:
        """The cost in thousandths of millionths of nanos, by the tier that served and the models that answered."""
        if not usage.iterations:
            rates = self.variant(usage.service_tier, "")
            return 1000 * rates.total(usage) + rates.all_further.units(usage)
        whole = 0
        for each in usage.iterations:
            rates = self.variant(each.usage.service_tier or usage.service_tier, each.model)
            whole += 1000 * (rates.total(each.usage) - rates.request) + rates.all_further.units(each.usage)
        return whole + 1000 * self.variant(usage.service_tier, "").request

    def total(self, usage: generate_pb2.Usage) -> int:
        """The cost of tokens and of the request in millionths of nanos.

        The parts of a sum are taken out of it in a fixed order and never exceed it: whatever a provider reports, no token
        is paid twice.
        """
        inputs, outputs = usage.input_tokens, usage.output_tokens
        cached = min(usage.cached_input_tokens, inputs)
        written = min(usage.cache_write_input_tokens, inputs - cached)
        audio = min(usage.audio_input_tokens, inputs - cached - written)
        spoken = min(usage.audio_output_tokens, outputs)
        thought = min(usage.reasoning_output_tokens, outputs - spoken)
        fresh, plain_output, pictures, writing = (
            inputs - cached - written - audio,
            outputs - spoken - thought,
            0,
            written * self.cache_write,
        )
        if self.further is not None:
            seen, drawn = min(usage.image_input_tokens, fresh), min(usage.image_output_tokens, plain_output)
            fresh, plain_output = fresh - seen, plain_output - drawn
            pictures = seen * self.further.image_input + drawn * self.further.image_output
            writing = self.further.writing(usage, written, self.cache_write)
        return (
            fresh * self.input
            + cached * self.cached
            + writing
            + audio * self.audio_input
            + plain_output * self.output
            + spoken * self.audio_output
            + thought * self.reasoning
            + pictures
            + self.request
        )


class Variant(NamedTuple):
    """What a tier, or another model in the same answer, costs."""

    tier: int
    upstream_model: str
    rates: Rates


PLAIN = ("input", "output", "cached", "cache_write", "reasoning", "audio_input", "audio_output", "request")
"""The rates that every price has."""
_FIELDS = ("input", "output", "cached_input", "cache_write", "reasoning", "audio_input", "audio_output", "request")


def _rates_of(rated: Rated, variants: tuple[Variant, ...] = ()) -> Rates:
    further = FurtherRates.of(rated) if FurtherRates.says_something(rated) else None
    plain = {ours: rate_of(rated, f"{name}_nanos_per_million") for ours, name in zip(PLAIN, _FIELDS, strict=True)}
    return Rates(**plain, further=further, variants=variants)


FREE = Rates(0, 0, 0, 0, 0, 0, 0, 0)
