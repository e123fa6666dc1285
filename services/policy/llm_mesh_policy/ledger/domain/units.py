"""How much of what is not billed by tokens one call can use at most."""

from typing import NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.router.v1 import plan_pb2


class Units(NamedTuple):
    """One call's bounds, as `UnitBounds` has them."""

    images: int = 0
    image_size: str = ""
    image_quality: str = ""
    audio_input_milliseconds: int = 0
    audio_output_milliseconds: int = 0
    characters: int = 0
    search_units: int = 0

    @classmethod
    def of(cls, bounds: plan_pb2.UnitBounds) -> "Units":
        """What a plan says."""
        return cls(*[getattr(bounds, name) for name in cls._fields])

    def write(self, usage: generate_pb2.Usage) -> None:
        """Writes all of it as used."""
        for name in COUNTED:
            setattr(usage, name, getattr(self, name))
        del usage.images[:]
        if self.images:
            usage.images.add(size=self.image_size, quality=self.image_quality, count=self.images)


COUNTED = ("audio_input_milliseconds", "audio_output_milliseconds", "characters", "search_units")
"""Bounds that `Usage` has under the same name."""
NO_UNITS = Units()
