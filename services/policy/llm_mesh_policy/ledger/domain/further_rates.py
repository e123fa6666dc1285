"""What a price version says beyond plain tokens and requests. Few prices have it; the others are charged without a look at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_figures.prices import DEFAULTS, Rated, image_rate_in, rate_of
from llm_mesh_policy.ledger.domain.units import Units

_SUFFIX = "_nanos_per_million"


@dataclass(frozen=True, slots=True)
class FurtherRates:
    """In nanos per million; images by size and quality."""

    cache_write_5m: int
    cache_write_30m: int
    cache_write_1h: int
    cache_write_12h: int
    image_input: int
    image_output: int
    audio_input_second: int
    audio_output_second: int
    character: int
    search_unit: int
    images: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, rated: Rated) -> "FurtherRates":
        """What a message says, filled in where it is unset."""
        images = {(each.size, each.quality): each.image_nanos_per_million for each in rated.images}
        scalars = {name: rate_of(rated, f"{name}{_SUFFIX}") for name in SCALARS}
        return cls(**scalars, images=images)

    @classmethod
    def says_something(cls, rated: Rated) -> bool:
        """Whether the message has more than plain tokens and requests."""
        return bool(rated.images) or any(rated.HasField(name) if name in DEFAULTS else getattr(rated, name) for name in _RATES)

    def writing(self, usage: generate_pb2.Usage, written: int, otherwise: int) -> int:
        """What writing so many tokens to a cache costs; `otherwise` is the rate where the lifetime is not known."""
        whole = 0
        for tokens, rate in (
            (usage.cache_write_12h_input_tokens, self.cache_write_12h),
            (usage.cache_write_1h_input_tokens, self.cache_write_1h),
            (usage.cache_write_30m_input_tokens, self.cache_write_30m),
            (usage.cache_write_5m_input_tokens, self.cache_write_5m),
        ):
            part = min(tokens, written)
            whole += part * rate
            written -= part
        return whole + written * otherwise

    def units(self, usage: generate_pb2.Usage) -> int:
        """What is not billed by tokens, in thousandths of millionths of nanos."""
        whole = usage.characters * self.character + usage.search_units * self.search_unit
        whole += sum(each.count * self.image(each.size, each.quality) for each in usage.images)
        return (
            1000 * whole
            + usage.audio_input_milliseconds * self.audio_input_second
            + usage.audio_output_milliseconds * self.audio_output_second
        )

    def image(self, size: str, quality: str) -> int:
        """What one image costs."""
        return image_rate_in(self.images, size, quality) if self.images else 0

    @property
    def dearest_input(self) -> int:
        """The highest rate of input tokens."""
        return max(self.cache_write_5m, self.cache_write_30m, self.cache_write_1h, self.cache_write_12h, self.image_input)


SCALARS = tuple(each.name for each in fields(FurtherRates) if each.name != "images")
_RATES = tuple(f"{name}{_SUFFIX}" for name in SCALARS)


def worst_units(parts: Iterable[FurtherRates], units: Units) -> int:
    """The most that the units of a call can cost by any of the rates, in thousandths of millionths of nanos."""
    known = list(parts)

    def dearest(rates: Iterable[int]) -> int:
        return max(rates, default=0)

    whole = units.characters * dearest(each.character for each in known)
    whole += units.search_units * dearest(each.search_unit for each in known)
    if units.images:
        whole += units.images * dearest(each.image(units.image_size, units.image_quality) for each in known)
    input_sound = units.audio_input_milliseconds * dearest(each.audio_input_second for each in known)
    return 1000 * whole + input_sound + units.audio_output_milliseconds * dearest(each.audio_output_second for each in known)


def is_dearer(one: FurtherRates, other: FurtherRates) -> bool:
    """Whether one costs more than the other in any component."""
    images = one.images.keys() | other.images.keys()
    return any(getattr(one, name) > getattr(other, name) for name in SCALARS) or any(
        one.image(*each) > other.image(*each) for each in images
    )
