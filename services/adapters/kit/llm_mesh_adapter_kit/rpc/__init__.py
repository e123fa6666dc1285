"""gRPC to providers, behind the port of HTTP: an answer's bytes are the frames of gRPC, and attempts are made by the same code."""
