"""Conversations with models: what was said, how answers are shown, and what is a command and never sent."""
