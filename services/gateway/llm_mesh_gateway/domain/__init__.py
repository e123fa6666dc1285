"""What the gateway decides: the steps of a request, attempts and their failures, settlement. Free of transport."""
