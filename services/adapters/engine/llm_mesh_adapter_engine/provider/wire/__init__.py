"""The messages of each engine, by the stubs of `smg-grpc-proto`. Loaded with the first endpoint that needs them."""
