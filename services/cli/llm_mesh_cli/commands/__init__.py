"""One module per command or group of commands, each with a typer application named `app`."""
