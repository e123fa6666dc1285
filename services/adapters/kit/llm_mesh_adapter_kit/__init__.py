"""What every adapter needs and no dialect is. `Adapter` does a call from its grant to its report; a `Dialect` says what is on the wire."""
