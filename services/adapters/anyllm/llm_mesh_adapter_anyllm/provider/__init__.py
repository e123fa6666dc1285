"""The library, as its own process sees it."""
