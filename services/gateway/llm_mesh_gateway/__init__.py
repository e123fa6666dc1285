"""Carries out plans: attempts, failover and streaming. Owns no data."""
