"""Identity in SQL."""
