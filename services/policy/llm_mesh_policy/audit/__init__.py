"""Audit: the trail of decisions and changes, chained."""
