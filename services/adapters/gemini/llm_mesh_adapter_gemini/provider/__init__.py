"""The providers of the dialect: where they answer, and what is on the wire."""
