"""The catalogue: prompts with immutable versions, labels that point to them, and their sandboxed rendering."""
