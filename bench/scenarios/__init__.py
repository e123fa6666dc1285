"""What is measured: each scenario gives rows, and says of each goal whether it was reached."""
