"""Stores responses and conversations, sealed, with retention."""
