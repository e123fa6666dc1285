"""Where content is stored: sealed, in SQLite or PostgreSQL."""
