"""What the simulator answers, and how it misbehaves: pure functions of the request and of settings, without a socket."""
