"""Rules: roles, bindings and floors, and whether who calls may."""
