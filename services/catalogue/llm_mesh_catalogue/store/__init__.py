"""Where prompts are kept."""
