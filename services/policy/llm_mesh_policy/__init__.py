"""Decides who may ask what at which cost, and keeps the ledger of record."""
