"""Revisions of policy's schema, in the order of their names."""
