"""Extensions of the ASGI scope, by which an application learns what ASGI does not tell."""

from __future__ import annotations

GONE = "llm_mesh.gone"
"""Extension of the scope: takes a function that is called once, when the client leaves before it has its whole answer."""
ARRIVED = "llm_mesh.arrived"
"""Extension of the scope: gives the body if all of it is there, so that it need not be waited for."""
AUTHENTICATED = "llm_mesh.authenticated"
"""Extension of the scope: takes the party that the caller is, once its credential is known to be valid. Until then no more of the
request is read than arrived with its head. False: the party has too many connections."""
