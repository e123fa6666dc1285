"""What is wrong with a body, told by the place at which it is wrong. Callers give it the reason of their own contract."""

from __future__ import annotations


class DialectError(ValueError):
    """A body that is not of its dialect: `field` is a deep path such as `messages[2].content[0].image_url.url`."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}" if field else expected)
        self.field = field
        self.expected = expected


class CostlyError(DialectError):
    """A key that would cost more than is reserved, and that the endpoint's operator does not allow. `name` is its name in the table."""

    def __init__(self, field: str, name: str, why: str) -> None:
        super().__init__(field, why)
        self.name = name


class MediaAddressError(DialectError):
    """An address of a medium to which a provider must not be sent."""


class TruncatedError(ValueError):
    """A stream that ended before its answer did."""
