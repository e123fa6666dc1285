"""The adapter that reaches providers by any-llm."""
