"""`llm-mesh up`: every installed service in one process, ready to be used."""
