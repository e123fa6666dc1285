"""Providers of the OpenAI dialect: what is on the wire, and how their servers differ."""
