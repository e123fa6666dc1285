"""Runs code that tenants wrote in child processes with limits, so that at worst its own call is refused."""
