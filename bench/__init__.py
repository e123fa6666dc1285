"""Measures the mesh beside direct calls, in one run on one machine: `python -m bench`."""
