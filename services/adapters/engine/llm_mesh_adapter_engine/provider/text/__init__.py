"""From the tokens of an engine to the text, reasoning and calls that they are."""
