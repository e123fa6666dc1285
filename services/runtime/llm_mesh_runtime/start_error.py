"""Why a host cannot start, in one line for the person who starts it."""


class StartError(Exception):
    """Its text is shown as it stands, without a traceback."""
