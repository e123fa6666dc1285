"""The only library that the services of LLM Mesh share: host, links, interceptors, errors, settings, telemetry."""
