"""Who is let in while a process is overloaded: those first who hold least of its window.

A caller whose domain is alone has the window, no more. Beside others, whoever is above its share is let in only below the window's
limit; a few places above the limit are for those who are not, and the fewer they hold the more of these places they may use. So one
who retries at once fills the window, and never keeps the next one out; what it holds too much drains as its requests end.
"""

from __future__ import annotations

NEWCOMERS = 32
"""Places above the limit, for domains that hold less than that."""
MEMBERS = 8
"""How many of them a principal that holds less than that may use where its domain has its share already."""


def most_inside(limit: int, domains: int, domain_holds: int, principal_holds: int) -> int:
    """A caller is let in while fewer than that are inside. `domains` are those with requests inside, and the caller's own."""
    spare = max(0, NEWCOMERS - domain_holds, MEMBERS - principal_holds)
    if domain_holds < max(1, limit // domains):
        spare = max(spare, MEMBERS + 1)  # more than the principals of a domain that is above its share can use
    return limit + spare
