"""Rules: roles, who holds them, and what that allows."""
