"""A deterministic model provider over HTTP, for tests and first steps."""
