"""The load generator: a process of its own, that verifies every answer and measures itself."""
