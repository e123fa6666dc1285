"""Keeps prompts: versions, labels and rendering."""
