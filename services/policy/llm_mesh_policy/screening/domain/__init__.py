"""Screening: finds what must not leave in requests and answers, whole or streamed, with the same result."""
