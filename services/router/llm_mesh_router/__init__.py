"""Decides which target answers a request, and in what order."""
