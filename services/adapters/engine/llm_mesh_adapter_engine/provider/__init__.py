"""The engines: where they answer, what is on their wires, and the text that their tokens are."""
