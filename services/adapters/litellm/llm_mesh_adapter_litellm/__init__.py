"""The adapter that reaches providers by LiteLLM's library."""
