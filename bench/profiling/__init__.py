"""Where the time goes: a command line that profiles itself between two signals, and what is read out of it."""
