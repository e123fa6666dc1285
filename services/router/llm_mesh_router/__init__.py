"""The router: decides which model answers a request and in what order others stand by; no token flows through it."""
