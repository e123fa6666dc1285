"""The two provider dialects over HTTP, and the delivery of answers as slowly or as badly as a behaviour wants."""
