"""The process of a library: what it may reach, how much it may take, and how its calls are served. Nothing here loads the runtime."""
