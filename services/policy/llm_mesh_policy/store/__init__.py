"""Policy's store: SQLite or PostgreSQL behind the ports of the domain."""
