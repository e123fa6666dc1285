"""How long a provider wants to be left alone, however oddly it says so."""

import pytest

from llm_mesh_adapter_kit.retry_after import retry_after

ODD = [
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 99 Foo 20 99:99:99 XXX", "9" * 5_000, "nan", "1e400", "", "\x00", "soon",
]  # fmt: skip


@pytest.mark.parametrize("header", ["retry-after", "retry-after-ms"])
@pytest.mark.parametrize("value", ODD)
def test_what_tells_no_time_is_no_delay_or_a_bounded_one(header: str, value: str) -> None:
    delay = retry_after({header: value})
    assert delay is None or 0 <= delay <= 24 * 3600


def test_numbers_and_dates_are_delays() -> None:
    assert retry_after({"retry-after": "3"}) == 3
    assert retry_after({"retry-after-ms": "250", "retry-after": "3"}) == 0.25
    assert retry_after({"retry-after": "Mon, 01 Jan 2024 00:00:00 GMT"}) == 0
    assert retry_after({"retry-after": "Fri, 01 Jan 9999 00:00:00 GMT"}) == 24 * 3600
